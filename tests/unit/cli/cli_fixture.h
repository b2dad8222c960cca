// Runs the command line in this process: arguments in, exit code and both streams out.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/cli/cli.h"

#include "tests/unit/control/fake_gateway.h"

namespace hangu::cli {

class CliFixture : public testing::Test {
 protected:
  CliFixture() {
    char name[] = "/tmp/hangu-cli-XXXXXX";
    folder_ = ::mkdtemp(name);
  }

  ~CliFixture() override { std::filesystem::remove_all(folder_); }

  /// The exit code of `hangu ARGUMENTS`; what it wrote is in out_ and err_.
  int hangu(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv = {"hangu"};
    for (const std::string& argument : arguments) {
      argv.push_back(argument.c_str());
    }
    std::ostringstream out;
    std::ostringstream err;
    const Environment environment{.start_gateway = start_gateway_, .out = out, .err = err};
    const int code = run(static_cast<int>(argv.size()), argv.data(), environment);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  std::string file(const std::string& name, const std::string& text) const {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  std::string good_file(const std::string& lb_delay = "0") const {
    return file("good.yaml",
                "version: 1\n"
                "log: {level: \"off\"}\n"
                "listeners: [{name: web, bind: \"127.0.0.1:8080\"}]\n"
                "upstreams: [{name: app, endpoints: [\"192.0.2.1:80\"]}]\n"
                "routes:\n"
                "  - {name: users, match: {path: {prefix: /users}, methods: [GET]},"
                " upstream: app}\n"
                "admin: {socket: " +
                    folder_ +
                    "/a.sock}\n"
                    "shutdown: {lb_delay: " +
                    lb_delay + ", drain_timeout: 10ms}\n");
  }

  std::string folder_;
  control::GatewayRecord gateway_;
  control::GatewayFactory start_gateway_ = control::FakeGateway::factory(gateway_);
  std::string out_;
  std::string err_;
};

}  // namespace hangu::cli

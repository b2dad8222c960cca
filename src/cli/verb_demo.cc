// `hangu demo`: a gateway in front of a built-in origin, to see it work within a minute.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "hangu/control/demo_origin.h"
#include "hangu/control/process.h"

#include "cli/config_file.h"
#include "cli/demo_config.h"
#include "cli/gateway_process.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

/// One a port, so that a second demo on the same port is noticed.
std::string default_socket(uint16_t port) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const bool usable = runtime != nullptr && *runtime == '/' && ::access(runtime, W_OK) == 0;
  return usable ? fmt::format("{}/hangu-demo-{}.sock", runtime, port)
                : fmt::format("/tmp/hangu-demo-{}-{}.sock", ::getuid(), port);
}

config::LoadResult load_demo(const DemoOptions& options, const std::string& socket,
                             uint16_t origin_port) {
  config::LoadResult loaded = config::load_text(kDemoConfig, "demo.yaml (built in)");
  if (loaded.config) {
    loaded.config->listeners[0].bind.text = fmt::format("127.0.0.1:{}", options.port);
    loaded.config->upstreams[0].endpoints[0].port = origin_port;
    loaded.config->admin.unix_path = socket;
    loaded.config->access_log.enabled = options.log_requests;
    loaded.config->log_level = "warning";
    static_cast<void>(apply_overrides(*loaded.config, options.event_loop, "").has_value());
  }
  return loaded;
}

void welcome(const control::DaemonStatus& status, const DemoOptions& options,
             const std::string& socket, const Environment& environment) {
  const Palette palette(environment.color_out);
  const std::string address = status.gateway.listeners.empty()
                                  ? fmt::format("127.0.0.1:{}", options.port)
                                  : status.gateway.listeners[0].address;
  const std::string url = "http://" + address;
  environment.out << fmt::format("{}hangu {} is serving {}{} ({}, {} {})\n\n", palette.bold,
                                 HANGU_VERSION, url, palette.off, status.gateway.event_loop,
                                 status.gateway.shards.size(),
                                 status.gateway.shards.size() == 1 ? "worker" : "workers");
  environment.out << "In another terminal:\n";
  for (const std::string& line : {
           fmt::format("curl {}/                               what there is to try", url),
           fmt::format("curl {}/echo -H 'x-hello: world'       the request, as the origin saw it",
                       url),
           fmt::format("curl -o /dev/null {}/bytes/1073741824  1 GiB down", url),
           fmt::format("head -c 1G /dev/zero | curl -T - {}/upload   and up", url),
       }) {
    environment.out << "  " << line << '\n';
  }
  environment.out << fmt::format(
      "  {0} status --socket {1}\n  {0} explain GET {2}/echo --socket {1}\n", options.program,
      socket, url);
  environment.out << fmt::format(
      "\n{}Ctrl-C stops it. Your own gateway: `{} schema --format yaml` "
      "prints an example config.{}\n",
      palette.dim, options.program, palette.off);
  environment.out.flush();
}

/// Until a signal ends it.
int serve_origin(const control::DemoOrigin& origin, const Environment& environment) {
  environment.out << fmt::format("the demo origin serves http://127.0.0.1:{}\n", origin.port());
  environment.out.flush();
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  int number = 0;
  while (sigwait(&ends, &number) != 0) {
  }
  return kOk;
}

}  // namespace

int demo(const DemoOptions& options, const Environment& environment) {
  config::Config probe;
  if (auto valid = apply_overrides(probe, options.event_loop, ""); !valid) {
    print_error(environment, valid.error());
    return kUsage;
  }
  const std::string socket =
      options.admin_socket.empty() ? default_socket(options.port) : options.admin_socket;
  std::optional<control::SignalsBlocked> blocked;
  if (options.origin_only) {
    blocked.emplace();
  }
  auto origin =
      control::DemoOrigin::start(options.origin_port, {.version = options.origin_version,
                                                       .fail_percent = options.origin_fail_percent,
                                                       .delay_ms = options.origin_delay_ms});
  if (!origin) {
    print_error(environment, origin.error(), "another port: --origin-port PORT, 0 for any");
    return kCannotBind;
  }
  if (options.origin_only) {
    return serve_origin(**origin, environment);
  }
  GatewayProcess process;
  process.load_config = [&] { return load_demo(options, socket, (*origin)->port()); };
  process.on_ready = [&](const control::DaemonStatus& status) {
    welcome(status, options, socket, environment);
  };
  const int code = run_process(process, environment);
  if (code == kCannotBind) {
    environment.err << "  another port: --port PORT\n";
  }
  return code;
}

}  // namespace hangu::cli

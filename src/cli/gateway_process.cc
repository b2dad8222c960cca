#include "cli/gateway_process.h"

#include <boost/asio/io_context.hpp>

#include "hangu/admin/server.h"
#include "hangu/base/log.h"
#include "hangu/control/activation.h"
#include "hangu/control/process.h"

#include "cli/terminal.h"

namespace hangu::cli {
namespace {

int report_start_error(const control::StartError& error, const Environment& environment) {
  if (error.kind == control::StartError::Kind::kInvalidConfig) {
    environment.err << config::format_diagnostics(error.diagnostics, environment.color_err);
    print_error(environment, "the config is not valid; nothing was started");
    return kInvalidConfig;
  }
  print_error(environment, error.message);
  const bool address = error.kind == control::StartError::Kind::kBeforeGateway ||
                       error.message.find("cannot bind") != std::string::npos;
  return address ? kCannotBind : kRuntimeFailure;
}

/// Also keeps a second process from serving the same config by accident: SO_REUSEPORT would let it.
/// The default path under /run is not for ordinary users: then there is no admin endpoint.
Result<void, std::string> open_admin(admin::Server& server, const config::Admin& admin) {
  auto opened = server.apply(admin);
  if (opened) {
    return {};
  }
  if (opened.error().kind == admin::BindError::Kind::kForbidden &&
      admin.unix_path == config::Admin{}.unix_path) {
    log::warning("admin_off error=\"{}\" hint=\"set admin.socket\"", opened.error().message);
    return {};
  }
  return Failure<std::string>{opened.error().message};
}

}  // namespace

int run_process(const GatewayProcess& process, const Environment& environment) {
  control::prepare_process();
  control::Lineage lineage = control::Lineage::from_environment();
  boost::asio::io_context context(1);
  control::start_resolver_thread(context);
  const auto predecessor = control::Predecessor::from_environment(context);
  std::unique_ptr<admin::Server> admin_server;
  std::unique_ptr<control::Daemon> daemon;

  control::DaemonOptions options;
  options.load_config = process.load_config;
  options.source = process.source;
  options.start_gateway = environment.start_gateway;
  options.lineage = &lineage;
  options.predecessor = predecessor.get();
  if (predecessor != nullptr) {
    auto bequest = predecessor->receive();
    if (!bequest) {
      predecessor->fail(bequest.error());
      print_error(environment, bequest.error());
      return kRuntimeFailure;
    }
    options.bequest = std::move(*bequest);
  } else {
    options.bequest.sockets = control::activated_sockets();
  }
  const auto inherited = options.bequest.sockets;
  control::DaemonCallbacks callbacks;
  callbacks.before_gateway = [&](const config::Config& config) {
    return open_admin(*admin_server, config.admin);
  };
  callbacks.on_ready = [&] {
    if (process.on_ready) {
      process.on_ready(daemon->status());
    }
  };
  callbacks.admin_sockets = [&] { return admin_server->sockets(); };
  callbacks.on_leave = [&] { admin_server->leave(); };
  callbacks.on_taken_over = [&] { admin_server->begin(); };
  callbacks.on_stopped = [&] {
    admin_server->close();
    context.stop();
  };
  daemon = std::make_unique<control::Daemon>(context, std::move(options), std::move(callbacks));
  admin_server = std::make_unique<admin::Server>(context, *daemon);
  admin_server->inherit(inherited, predecessor != nullptr);
  if (auto started = daemon->start(); !started) {
    if (predecessor != nullptr) {
      predecessor->fail(started.error().message);
    }
    return report_start_error(started.error(), environment);
  }
  context.run();
  const bool failed = daemon->failed();
  admin_server.reset();
  daemon.reset();
  if (failed) {
    return kRuntimeFailure;
  }
  return lineage.stays() && lineage.heir() != 0 ? lineage.accompany() : kOk;
}

}  // namespace hangu::cli

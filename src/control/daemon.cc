#include "hangu/control/daemon.h"

#include <utility>

#include "control/daemon_impl.h"

namespace hangu::control {

Daemon::Daemon(asio::io_context& context, DaemonOptions options, DaemonCallbacks callbacks)
    : impl_(std::make_unique<Impl>(context, std::move(options), std::move(callbacks))) {}

Daemon::~Daemon() = default;

Result<void, StartError> Daemon::start() {
  return impl_->start();
}

void Daemon::reload(const std::function<void(ReloadOutcome)>& done, std::string_view actor) {
  impl_->reload(done, actor);
}

void Daemon::record_admin(const AdminEvent& event) {
  impl_->record_admin(event);
}

bool Daemon::record_reading(audit::Event event, std::string_view actor, std::string_view detail) {
  return impl_->record_reading(event, actor, detail);
}

Result<void, std::string> Daemon::set_order(std::string_view upstream, std::string_view endpoint,
                                            policy::EndpointHealth::Order order,
                                            std::string_view actor) {
  return impl_->set_order(upstream, endpoint, order, actor);
}

Result<server::PluginSwap, std::string> Daemon::change_plugin(std::string_view plugin,
                                                              server::PluginChange change,
                                                              std::string_view actor) {
  return impl_->change_plugin(plugin, change, actor);
}

void Daemon::upgrade(const std::string& binary, std::function<void(UpgradeOutcome)> done,
                     std::string_view actor) {
  impl_->upgrade(binary, std::move(done), actor);
}

bool Daemon::failed() const {
  return impl_->failed();
}

ReleaseController& Daemon::releases() {
  return impl_->releases();
}

void Daemon::terminate() {
  impl_->on_signal(SIGTERM);
}

void Daemon::fast_stop() {
  impl_->on_signal(SIGQUIT);
}

void Daemon::reopen_logs() {
  impl_->reopen_logs();
}

Readiness Daemon::readiness() const {
  return impl_->readiness();
}

DaemonStatus Daemon::status() const {
  return impl_->status();
}

std::shared_ptr<const config::Config> Daemon::config() const {
  return impl_->config();
}

ConfigEditor* Daemon::editor() {
  return impl_->editor();
}

stats::Registry* Daemon::registry() {
  return impl_->registry();
}

}  // namespace hangu::control

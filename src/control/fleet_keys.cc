#include "control/fleet_keys.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/replace_file.h"
#include "hangu/control/loader.h"
#include "hangu/control/process.h"

namespace hangu::control {

std::shared_ptr<FleetKeys> FleetKeys::open(boost::asio::io_context& context,
                                           const config::Config& config, Hooks hooks) {
  const config::ConfigCenter& center = config.config_center;
  return center.enabled && center.member && !center.keys.secrets.empty()
             ? std::make_shared<FleetKeys>(context, config, std::move(hooks))
             : nullptr;
}

FleetKeys::FleetKeys(boost::asio::io_context& context, const config::Config& config, Hooks hooks)
    : hooks_(std::move(hooks)),
      path_(config.config_center.cache ? config.state_dir + "/fleet-keys" : ""),
      keeper_(config.config_center.keys, config.config_center.prefix,
              config.config_center.session_timeout),
      patience_(context) {
  const auto text = read_whole_file(path_);
  keeper_.begin_with(text ? *text : std::string());
}

void FleetKeys::when_known(Duration at_most, std::function<void()> done) {
  waiter_ = std::move(done);
  if (keeper_.ring().generation != 0 || !keeper_.error().empty()) {
    tell_waiter();
    return;
  }
  patience_.expires_after(at_most);
  patience_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self != nullptr) {
      self->tell_waiter();
    }
  });
}

void FleetKeys::tell_waiter() {
  if (const auto done = std::exchange(waiter_, {})) {
    done();
  }
}

void FleetKeys::take(std::optional<std::string_view> text) {
  const std::string error = keeper_.error();
  const std::string before = keeper_.text();
  const bool others = keeper_.take(text);
  if (keeper_.error() != error && !keeper_.error().empty()) {
    log::error("shared_keys_refused generation={} error=\"{}\"", keeper_.ring().generation,
               keeper_.error());
    hooks_.on_refused(keeper_.error());
  }
  if (keeper_.text() != before) {
    const fleet::KeyRing& ring = keeper_.ring();
    log::info("shared_keys generation={} sealing={} keys={}", ring.generation, ring.sealing().id,
              ring.entries.size());
    save();
  }
  if (others) {
    hooks_.use(secrets());
  }
  if (keeper_.ring().generation != 0 || !keeper_.error().empty()) {
    patience_.cancel();
    tell_waiter();
  }
}

std::optional<std::string> FleetKeys::to_write(const std::vector<uint64_t>& peers) {
  return keeper_.to_write(peers, wall_now(), monotonic_now());
}

SharedKeysStatus FleetKeys::status() const {
  const fleet::KeyRing& ring = keeper_.ring();
  SharedKeysStatus status{.enabled = true,
                          .generation = ring.generation,
                          .sealing = {},
                          .since = {},
                          .keys = ring.entries.size(),
                          .error = keeper_.error()};
  if (!ring.entries.empty()) {
    status.sealing = ring.sealing().id;
    status.since = WallTime(std::chrono::milliseconds(ring.sealing().created_ms));
  }
  return status;
}

void FleetKeys::save() {
  if (path_.empty()) {
    return;
  }
  hooks_.loader->run([path = path_, text = keeper_.text()] {
    std::error_code ignored;  // then the file cannot be written, which is told
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    if (const std::error_code error = replace_file(path, text, 0600)) {
      log::warning("shared_keys_not_saved path={} error=\"{}\"", path, error.message());
    }
  });
}

}  // namespace hangu::control

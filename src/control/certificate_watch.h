// CertificateWatch: which certificates of this node end soon, and the alarms about them where no
// fleet raises them. Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/config.h"
#include "hangu/control/config_center.h"
#include "hangu/fleet/certificate_alarms.h"
#include "hangu/server/gateway.h"

namespace hangu::control {

/// For the log.
void tell(const fleet::CertificateAlarms::Step& step, WallTime now);

class CertificateWatch {
 public:
  enum class Fleet : uint8_t {
    kNone,
    kJoined,  // others hear of what ends soon, and somebody is elected to tell
    kAway,    // there is one, but they do not hear of this node: it waits a minute for that
  };

  void look(const config::Config& config, const server::Gateway& gateway, Fleet fleet, WallTime now,
            TimePoint monotonic);

  /// Soon.
  const std::vector<fleet::ExpiringCertificate>& ending() const { return ending_; }

  /// None while a fleet raises them.
  std::vector<fleet::CertificateAlarm> alarms() const { return alarms_.active(); }

  /// Of the certificate that ends first, whenever that is; nothing: there are no certificates.
  std::optional<int64_t> first_end_s() const { return first_end_s_; }

 private:
  std::vector<fleet::ExpiringCertificate> ending_;
  fleet::CertificateAlarms alarms_;
  std::optional<int64_t> first_end_s_;
  std::optional<TimePoint> away_since_;
};

/// `center`: nullptr: not yet, or there is none.
CertificateWatch::Fleet fleet_part(const ConfigCenter* center, const config::Config& config);

}  // namespace hangu::control

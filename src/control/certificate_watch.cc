#include "control/certificate_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hangu/base/log.h"
#include "hangu/base/unix_time.h"
#include "hangu/base/visible.h"
#include "hangu/server/tls_contexts.h"

namespace hangu::control {
namespace {

constexpr Duration kPatience = std::chrono::minutes(1);

}  // namespace

void tell(const fleet::CertificateAlarms::Step& step, WallTime now) {
  const int64_t now_s = unix_seconds(now);
  constexpr int64_t kDay = int64_t{24} * 3600;
  for (const fleet::CertificateAlarm& each : step.raised) {
    const fleet::ExpiringCertificate& certificate = each.certificate;
    const int64_t left = certificate.not_after_s - now_s;
    log::error("certificate_alarm fingerprint={} subject=\"{}\" not_after={} days_left={} nodes={}",
               visible(certificate.fingerprint), visible(certificate.subject),
               server::date_text(certificate.not_after_s), left < 0 ? -1 : left / kDay,
               visible(fmt::format("{}", fmt::join(each.nodes, ","))));
  }
  for (const fleet::CertificateAlarm& each : step.cleared) {
    log::info("certificate_alarm_over fingerprint={} subject=\"{}\"",
              visible(each.certificate.fingerprint), visible(each.certificate.subject));
  }
}

void CertificateWatch::look(const config::Config& config, const server::Gateway& gateway,
                            Fleet fleet, WallTime now, TimePoint monotonic) {
  std::vector<fleet::ExpiringCertificate> all;
  for (const server::CertificateStatus& each : gateway.certificates()) {
    all.push_back({.fingerprint = each.info.fingerprint,
                   .subject = each.info.subject,
                   .not_after_s = each.info.not_after});
  }
  const auto first = std::min_element(
      all.begin(), all.end(),
      [](const auto& one, const auto& other) { return one.not_after_s < other.not_after_s; });
  first_end_s_ = first != all.end() ? std::optional(first->not_after_s) : std::nullopt;
  ending_ = fleet::ending_within(std::move(all), config.certificate_alarm, now);
  if (fleet != Fleet::kAway) {
    away_since_.reset();
  } else if (!away_since_) {
    away_since_ = monotonic;
  }
  if (fleet == Fleet::kJoined || (away_since_ && monotonic - *away_since_ < kPatience)) {
    alarms_ = {};
    return;
  }
  fleet::NodeCertificates here{.node = config.node, .certificates = ending_};
  tell(alarms_.update({std::move(here)}, now), now);
}

CertificateWatch::Fleet fleet_part(const ConfigCenter* center, const config::Config& config) {
  using Fleet = CertificateWatch::Fleet;
  if (!config.config_center.enabled || !config.config_center.member) {
    return Fleet::kNone;
  }
  return center != nullptr && center->joined() ? Fleet::kJoined : Fleet::kAway;
}

}  // namespace hangu::control

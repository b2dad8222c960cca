#include "hangu/fleet/certificate_alarms.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "hangu/base/unix_time.h"

#include "fleet/certificates_json.h"

namespace hangu::fleet {
namespace {

namespace json = boost::json;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;

bool ends_before(const ExpiringCertificate& one, const ExpiringCertificate& other) {
  return std::tie(one.not_after_s, one.fingerprint) <
         std::tie(other.not_after_s, other.fingerprint);
}

/// What all nodes have, each certificate once.
std::vector<CertificateAlarm> merged(const std::vector<NodeCertificates>& nodes) {
  std::vector<CertificateAlarm> all;
  for (const NodeCertificates& each : nodes) {
    for (const ExpiringCertificate& certificate : each.certificates) {
      auto found = std::find_if(all.begin(), all.end(), [&certificate](const auto& other) {
        return other.certificate.fingerprint == certificate.fingerprint;
      });
      if (found == all.end()) {
        found = all.insert(all.end(), {.certificate = certificate, .nodes = {}});
      }
      found->nodes.push_back(each.node);
    }
  }
  for (CertificateAlarm& each : all) {
    std::sort(each.nodes.begin(), each.nodes.end());
    each.nodes.erase(std::unique(each.nodes.begin(), each.nodes.end()), each.nodes.end());
  }
  return all;
}

}  // namespace

CertificateAlarms::Step CertificateAlarms::update(const std::vector<NodeCertificates>& nodes,
                                                  WallTime now) {
  const int64_t now_ms = unix_milliseconds(now);
  // A clock that was set back counts as another day.
  const auto of_today = [now_ms](const CertificateAlarm& alarm) {
    return alarm.raised_ms > now_ms - kDayMs && alarm.raised_ms < now_ms + kDayMs;
  };
  std::set<std::string_view> present;
  for (const NodeCertificates& each : nodes) {
    present.insert(each.node);
  }
  Step step;
  std::vector<CertificateAlarm> next = merged(nodes);
  for (CertificateAlarm& each : next) {
    const auto known = std::find_if(alarms_.begin(), alarms_.end(), [&each](const auto& other) {
      return other.certificate.fingerprint == each.certificate.fingerprint;
    });
    each.raised_ms = known != alarms_.end() && of_today(*known) ? known->raised_ms : now_ms;
    if (known == alarms_.end() || !of_today(*known)) {
      step.raised.push_back(each);
    }
    if (known != alarms_.end()) {
      alarms_.erase(known);
    }
  }
  for (CertificateAlarm& each : alarms_) {  // nobody who is there has these
    const bool unknown = std::any_of(each.nodes.begin(), each.nodes.end(),
                                     [&](const auto& node) { return !present.contains(node); });
    if (!each.over && !(unknown && of_today(each))) {
      step.cleared.push_back(each);
      each.over = true;
    }
    if (of_today(each)) {
      next.push_back(std::move(each));
    }
  }
  std::sort(next.begin(), next.end(), [](const auto& one, const auto& other) {
    return ends_before(one.certificate, other.certificate);
  });
  next.resize(std::min(next.size(), kMax));
  alarms_ = std::move(next);
  return step;
}

std::vector<CertificateAlarm> CertificateAlarms::active() const {
  std::vector<CertificateAlarm> all;
  std::copy_if(alarms_.begin(), alarms_.end(), std::back_inserter(all),
               [](const CertificateAlarm& each) { return !each.over; });
  return all;
}

std::string CertificateAlarms::to_json() const {
  json::array all;
  for (const CertificateAlarm& each : alarms_) {
    json::object alarm = certificate_json(each.certificate);
    alarm["nodes"] = json::value_from(each.nodes);
    alarm["raised_ms"] = each.raised_ms;
    alarm["over"] = each.over;
    all.push_back(std::move(alarm));
  }
  return json::serialize(json::object{{"certificates", std::move(all)}});
}

CertificateAlarms CertificateAlarms::read(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const Fields fields(error ? nullptr : &value);
  CertificateAlarms alarms;
  for (const Fields& each : fields.all("certificates")) {
    CertificateAlarm alarm{.certificate = read_certificate(each), .nodes = each.texts("nodes")};
    alarm.raised_ms = static_cast<int64_t>(each.number("raised_ms"));
    alarm.over = each.flag("over");
    if (!alarm.certificate.fingerprint.empty()) {
      alarms.alarms_.push_back(std::move(alarm));
    }
  }
  return alarms;
}

std::vector<ExpiringCertificate> ending_within(std::vector<ExpiringCertificate> all,
                                               Duration within, WallTime now) {
  const int64_t last_s = unix_seconds(now) + duration_cast<seconds>(within).count();
  std::erase_if(all, [&](const ExpiringCertificate& each) {
    return within == Duration::zero() || each.not_after_s > last_s;
  });
  std::sort(all.begin(), all.end(), ends_before);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  all.resize(std::min(all.size(), CertificateAlarms::kOfNodeMax));
  return all;
}

json::object certificate_json(const ExpiringCertificate& certificate) {
  return {{"fingerprint", certificate.fingerprint},
          {"subject", certificate.subject},
          {"not_after_s", certificate.not_after_s}};
}

json::array certificates_json(const std::vector<ExpiringCertificate>& certificates) {
  json::array all;
  for (const ExpiringCertificate& each : certificates) {
    all.push_back(certificate_json(each));
  }
  return all;
}

ExpiringCertificate read_certificate(const Fields& fields) {
  return {.fingerprint = fields.text("fingerprint"),
          .subject = fields.text("subject"),
          .not_after_s = static_cast<int64_t>(fields.number("not_after_s"))};
}

std::vector<ExpiringCertificate> read_certificates(const std::vector<Fields>& all) {
  std::vector<ExpiringCertificate> certificates;
  for (const Fields& each : all) {
    ExpiringCertificate certificate = read_certificate(each);
    const bool room = certificates.size() < CertificateAlarms::kOfNodeMax;
    if (!certificate.fingerprint.empty() && room) {
      certificates.push_back(std::move(certificate));
    }
  }
  return certificates;
}

}  // namespace hangu::fleet

// Alarms about certificates that end soon: one a certificate and day for all nodes together, raised
// by the node that holds the election, or by a node for itself when it is in no fleet. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/clock.h"

namespace hangu::fleet {

struct ExpiringCertificate {
  std::string fingerprint;
  std::string subject;
  int64_t not_after_s = 0;  // Unix time
  bool operator==(const ExpiringCertificate&) const = default;
};

/// Those of a node that is there.
struct NodeCertificates {
  std::string node;
  std::vector<ExpiringCertificate> certificates;
};

struct CertificateAlarm {
  ExpiringCertificate certificate;
  std::vector<std::string> nodes;  // that have it, or had it when they were last seen; sorted
  int64_t raised_ms = 0;           // Unix time of the last alarm
  bool over = false;  // kept for the day, so that the certificate does not alarm a second time
  bool operator==(const CertificateAlarm&) const = default;
};

/// By when the certificates end, at most kMax.
class CertificateAlarms {
 public:
  static constexpr size_t kMax = 256;
  static constexpr size_t kOfNodeMax = 32;

  struct Step {
    std::vector<CertificateAlarm> raised;   // to be told, today
    std::vector<CertificateAlarm> cleared;  // likewise, of certificates that nobody has any more
  };

  /// Brings them up to what all nodes that are there have.
  Step update(const std::vector<NodeCertificates>& nodes, WallTime now);

  /// Those that are not over.
  std::vector<CertificateAlarm> active() const;

  std::string to_json() const;
  /// What cannot be read is left out.
  static CertificateAlarms read(std::string_view text);

  bool operator==(const CertificateAlarms&) const = default;

 private:
  std::vector<CertificateAlarm> alarms_;
};

/// Those that end within `within`, the first one first; 0: none do.
std::vector<ExpiringCertificate> ending_within(std::vector<ExpiringCertificate> all,
                                               Duration within, WallTime now);

}  // namespace hangu::fleet

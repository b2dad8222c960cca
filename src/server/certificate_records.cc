#include "server/certificate_records.h"

#include <chrono>

#include "hangu/tls/digest.h"

namespace hangu::server {

void record_changes(audit::AuditLog& log, uint64_t generation,
                    const std::map<std::string, int64_t>& before,
                    const std::map<std::string, int64_t>& after) {
  for (const auto& [path, time] : after) {
    const auto old = before.find(path);
    if (old != before.end() && old->second == time) {
      continue;
    }
    audit::Record record;
    record.event = audit::Event::kCertificateChanged;
    record.time = std::chrono::system_clock::now();
    record.generation = generation;
    const std::string hash = tls::sha256_of_file(path);
    record.set(audit::Text::kObject, path);
    record.set(audit::Text::kAfter, hash);
    log.append_control(record);
  }
}

}  // namespace hangu::server

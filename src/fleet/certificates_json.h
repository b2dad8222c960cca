// Certificates as they stand in the store.
#pragma once

#include <vector>

#include <boost/json.hpp>

#include "hangu/fleet/certificate_alarms.h"

#include "fleet/json_fields.h"

namespace hangu::fleet {

boost::json::object certificate_json(const ExpiringCertificate& certificate);
boost::json::array certificates_json(const std::vector<ExpiringCertificate>& certificates);

/// Without a fingerprint: it is none.
ExpiringCertificate read_certificate(const Fields& fields);
std::vector<ExpiringCertificate> read_certificates(const std::vector<Fields>& all);

}  // namespace hangu::fleet

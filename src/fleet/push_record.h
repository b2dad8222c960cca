// PushRecord as JSON, as the store keeps it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "hangu/fleet/publisher.h"

namespace hangu::fleet {

std::string to_json(const PushRecord& record);

/// nullopt: this is no record.
std::optional<PushRecord> read_record_json(std::string_view text);

boost::json::array documents_json(const std::vector<PushedDocument>& documents);

/// The member `documents`.
std::vector<PushedDocument> read_documents(const boost::json::object& object);

}  // namespace hangu::fleet

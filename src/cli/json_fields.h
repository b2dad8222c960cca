// Reading JSON that another hangu process wrote, leniently: what is missing or of another type
// reads as empty, since the other process may be older or newer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "hangu/config/diagnostic.h"

namespace hangu::cli {

boost::json::object object_from(std::string_view text);
std::string text_of(const boost::json::value& value);
std::string text_field(const boost::json::object& object, std::string_view key);
uint64_t number_field(const boost::json::object& object, std::string_view key);
int64_t signed_field(const boost::json::object& object, std::string_view key);
bool flag_field(const boost::json::object& object, std::string_view key);
boost::json::array array_field(const boost::json::object& object, std::string_view key);
/// The objects in an array, without what else may be there.
std::vector<std::string> texts_field(const boost::json::object& object, std::string_view key);
std::vector<boost::json::object> objects_field(const boost::json::object& object,
                                               std::string_view key);
boost::json::object object_field(const boost::json::object& object, std::string_view key);
std::vector<config::Diagnostic> diagnostics_from(const boost::json::array& list);

}  // namespace hangu::cli

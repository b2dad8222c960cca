// An instance of a service as it stands in a registry: a value of an etcd. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/config/endpoint_file.h"

namespace hangu::fleet {

/// "10.0.0.7:9000"; or an object of JSON with "address", and perhaps "weight" and "priority" as in
/// the config and "labels", an object of texts. What else stands in it is the services' own. "Addr"
/// does as well: etcd's library for Go writes it. The error says what is wrong. No sockets of this
/// machine: whoever may write the registry is not to reach them.
Result<config::Instance, std::string> parse_instance(std::string_view value);

inline constexpr size_t kInstanceBytesMax = 4096;

}  // namespace hangu::fleet

// Endpoints that stand outside of the config: in a file of their own, or each alone in a registry.
// There they may have labels, by which upstreams choose among them. Pure but for the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/config/diagnostic.h"

namespace hangu::config {

struct Instance {
  Endpoint endpoint;
  InstanceLabels labels;
  bool operator==(const Instance&) const = default;
};

struct EndpointFile {
  std::vector<Instance> instances;
  std::vector<Diagnostic> problems;  // with errors among them, `instances` mean nothing
};

/// A list in YAML, each element as in `endpoints` of an upstream, perhaps with `labels`. `name`
/// stands for the file.
EndpointFile read_endpoint_file(std::string_view text, std::string_view name);

/// The same of a file that is there; one that cannot be read is a problem, too.
EndpointFile load_endpoint_file(const std::string& path);

/// "127.0.0.1:9000", "app.example.org:8080", "unix:/run/app.sock"; the error says what is wrong.
Result<Endpoint, std::string> parse_endpoint(std::string_view text);

/// The same again.
std::string format_endpoint(const Endpoint& endpoint);

/// Letters, digits and `._/-`, within kInstanceLabelNameBytesMax.
bool is_instance_label_name(std::string_view name);

/// No control characters, within kInstanceLabelValueBytesMax; it may be empty.
bool is_instance_label_value(std::string_view value);

/// Whether `labels` has all of `wanted`, and these values of them.
bool has_labels(const InstanceLabels& labels, const InstanceLabels& wanted);

/// "{version: 2.0, zone: a}".
std::string format_labels(const InstanceLabels& labels);

inline constexpr size_t kEndpointFileBytesMax = 1024UL * 1024;

}  // namespace hangu::config

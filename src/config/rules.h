// What a text value must look like: names, addresses, hosts, paths, header fields. Each rule checks
// one text and may normalise it; the problem it returns has no place yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hangu/config/config.h"

#include "config/reader.h"

namespace hangu::config {

struct TextRule {
  std::string_view name;     // "host"
  std::string_view example;  // a valid value
  std::string_view limits;   // for the documents
  std::string_view pattern;  // ECMA 262, for the JSON Schema; may be empty
  /// Checks and normalises; the problem when it is not acceptable.
  std::optional<Problem> (*apply)(std::string& text);
};

extern const TextRule kNameRule;
extern const TextRule kNodeRule;
extern const TextRule kBindRule;
extern const TextRule kTcpBindRule;
extern const TextRule kCidrRule;
extern const TextRule kHostRule;
extern const TextRule kRoutePathRule;
extern const TextRule kPathTemplateRule;
extern const TextRule kPathTextRule;
extern const TextRule kRegexRule;
extern const TextRule kCookieNameRule;
extern const TextRule kMethodRule;
extern const TextRule kFilePathRule;
extern const TextRule kOpensslListRule;
extern const TextRule kClientNameRule;
extern const TextRule kSocketPathRule;
extern const TextRule kHeaderNameRule;
extern const TextRule kHeaderValueRule;
extern const TextRule kTextRule;
extern const TextRule kTargetRule;
extern const TextRule kCookiePathRule;
extern const TextRule kPeerRule;
extern const TextRule kPatternRule;

std::optional<Problem> check_endpoint(std::string_view text, Endpoint& out);

std::optional<Problem> check_header_name(std::string_view name);
std::optional<Problem> check_header_value(std::string_view value);

/// Whether a checked bind address reaches this machine only.
bool is_loopback(std::string_view bind);

}  // namespace hangu::config

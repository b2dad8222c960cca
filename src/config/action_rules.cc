#include "config/action_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/base/parse.h"
#include "hangu/config/text_template.h"

#include "config/text.h"

namespace hangu::config {
namespace {

using MaybeProblem = std::optional<Problem>;

bool is_host_char(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '[' || c == ']';
}

/// A serialised origin (RFC 6454 §6.2), or one with `*.` in front of its host.
MaybeProblem apply_origin(std::string& text) {
  if (text == "*" || text == "null") {
    return std::nullopt;
  }
  text = lower_case(text);
  const auto bad = [&text](std::string suggestion) {
    return Problem{"E0160",
                   fmt::format("{} is not an origin such as https://app.example.org, "
                               "https://*.example.org or *",
                               quoted(text)),
                   std::move(suggestion)};
  };
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos || scheme == 0) {
    return bad(text.find('.') != std::string::npos ? did_you_mean("https://" + text) : "");
  }
  const std::string authority = text.substr(scheme + 3);
  const std::string_view host =
      std::string_view(authority).substr(authority.starts_with("*.") ? 2 : 0);
  if (const size_t slash = authority.find('/'); slash != std::string::npos) {
    return bad(did_you_mean(text.substr(0, scheme + 3 + slash)));
  }
  for (const std::string_view usual : {"https:443", "http:80"}) {
    const size_t colon = usual.find(':');
    if (text.substr(0, scheme) == usual.substr(0, colon) && host.ends_with(usual.substr(colon))) {
      return bad(did_you_mean(text.substr(0, text.rfind(':'))));  // browsers leave it out
    }
  }
  const bool good = !host.empty() && host.find('*') == std::string_view::npos &&
                    std::all_of(host.begin(), host.end(), is_host_char);
  return good ? MaybeProblem() : bad("");
}

/// Its groups are checked with the expression, by check_substitution().
MaybeProblem apply_substitution(std::string& text) {
  constexpr size_t kBytesMax = 4096;
  return text.size() <= kBytesMax
             ? MaybeProblem()
             : Problem{"E0115", fmt::format("the text is longer than {} bytes", kBytesMax), ""};
}

MaybeProblem apply_host_text(std::string& text) {
  const auto parsed = TextTemplate::parse(text);
  if (!parsed) {
    return Problem{"E0163", parsed.error(), ""};
  }
  return parsed->has_variables() ? MaybeProblem() : kHostRule.apply(text);
}

bool is_type_part(std::string_view part) {
  return part == "*" || (!part.empty() && std::all_of(part.begin(), part.end(), is_tchar) &&
                         part.find('*') == std::string_view::npos);
}

MaybeProblem apply_media_type(std::string& text) {
  text = lower_case(text);
  const size_t slash = text.find('/');
  const bool suffix = text.starts_with("*+") && is_type_part(std::string_view(text).substr(2));
  const bool good = suffix || (slash != std::string::npos &&
                               is_type_part(std::string_view(text).substr(0, slash)) &&
                               is_type_part(std::string_view(text).substr(slash + 1)));
  return good ? MaybeProblem()
              : Problem{"E0162",
                        fmt::format("{} is not a media type such as text/html, text/* or *+json",
                                    quoted(text)),
                        ""};
}

MaybeProblem apply_host_suffix(std::string& text) {
  text = lower_case(text);
  const bool good = !text.empty() && text.size() <= 64 &&
                    std::all_of(text.begin(), text.end(),
                                [](char c) { return is_alnum(c) || c == '-' || c == '.'; });
  return good ? MaybeProblem()
              : Problem{"E0119",
                        fmt::format("{} cannot be the end of a host: letters, digits, `-`, `.`",
                                    quoted(text)),
                        ""};
}

MaybeProblem apply_allowed_name(std::string& text) {
  if (text == "*") {
    return std::nullopt;
  }
  text = lower_case(text);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_tchar)) {
    return Problem{"E0126", fmt::format("{} is not a header field name", quoted(text)), ""};
  }
  return std::nullopt;
}

MaybeProblem apply_allowed_method(std::string& text) {
  return text == "*" ? MaybeProblem() : kMethodRule.apply(text);
}

}  // namespace

const TextRule kOriginRule = {"origin", "https://app.example.org",
                              "`scheme://host[:port]`, `scheme://*.host[:port]`, `null` or `*`", "",
                              apply_origin};
const TextRule kSubstitutionRule = {"substitution", "/users/\\1", "at most 4 KiB", "",
                                    apply_substitution};
const TextRule kHostTextRule = {"host", "app.internal", "", "", apply_host_text};
const TextRule kMediaTypeRule = {"media type", "text/html",
                                 "`type/subtype`, `type/*`, `*+suffix` or `*/*`", "",
                                 apply_media_type};
const TextRule kHostSuffixRule = {"end of a host", "-next", "letters, digits, `-` `.`; at most 64",
                                  "", apply_host_suffix};
const TextRule kAllowedNameRule = {"field name", "x-tenant", "or `*`", "", apply_allowed_name};
const TextRule kAllowedMethodRule = {"method", "GET", "or `*`", "", apply_allowed_method};

}  // namespace hangu::config

#include "hangu/config/text_template.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"

#include "config/text.h"

namespace hangu::config {
namespace {

struct Known {
  std::string_view name;
  Variable variable;
};

constexpr std::array kKnown = {
    Known{"client_ip", Variable::kClientIp},
    Known{"client_port", Variable::kClientPort},
    Known{"method", Variable::kMethod},
    Known{"scheme", Variable::kScheme},
    Known{"host", Variable::kHost},
    Known{"path", Variable::kPath},
    Known{"query", Variable::kQuery},
    Known{"protocol", Variable::kProtocol},
    Known{"route", Variable::kRoute},
    Known{"listener", Variable::kListener},
    Known{"upstream", Variable::kUpstream},
    Known{"upstream_address", Variable::kUpstreamAddress},
    Known{"request_id", Variable::kRequestId},
    Known{"trace_id", Variable::kTraceId},
    Known{"node", Variable::kNode},
    Known{"tls_protocol", Variable::kTlsProtocol},
    Known{"tls_cipher", Variable::kTlsCipher},
    Known{"tls_server_name", Variable::kTlsServerName},
    Known{"tls_client_subject", Variable::kTlsClientSubject},
    Known{"tls_client_names", Variable::kTlsClientNames},
    Known{"tls_client_fingerprint", Variable::kTlsClientFingerprint},
};

constexpr std::array kNamed = {
    Known{"header.", Variable::kHeader},
    Known{"cookie.", Variable::kCookie},
    Known{"query.", Variable::kQueryParameter},
    Known{"path.", Variable::kCapture},
};

bool is_name_char(char c) {
  return is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/// The name of "{name}…"; empty when it is none.
std::string_view name_at(std::string_view text) {
  if (text.size() < 3 || text[0] != '{' || text[1] < 'a' || text[1] > 'z') {
    return {};
  }
  size_t end = 1;
  while (end < text.size() && is_name_char(text[end])) {
    ++end;
  }
  return end < text.size() && text[end] == '}' ? text.substr(1, end - 1) : std::string_view{};
}

Result<TextTemplate::Piece, std::string> variable(std::string_view name) {
  for (const Known& known : kKnown) {
    if (known.name == name) {
      return TextTemplate::Piece{.variable = known.variable, .text = {}};
    }
  }
  for (const Known& known : kNamed) {
    if (name.starts_with(known.name) && name.size() > known.name.size()) {
      const std::string_view rest = name.substr(known.name.size());
      return TextTemplate::Piece{
          .variable = known.variable,
          .text = known.variable == Variable::kHeader ? lower_case(rest) : std::string(rest)};
    }
  }
  std::vector<std::string_view> names;
  for (const Known& known : kKnown) {
    names.push_back(known.name);
  }
  const std::string_view nearest_name = nearest(name, names);
  return Failure<std::string>{fmt::format(
      "there is no variable {{{}}}{}; for the text itself write {{{{{}}}}}", name,
      nearest_name.empty() ? "" : fmt::format(", did you mean {{{}}}?", nearest_name), name)};
}

void append_text(TextTemplate& into, std::string_view text) {
  if (into.pieces.empty() || into.pieces.back().variable != Variable::kNone) {
    into.pieces.emplace_back();
  }
  into.pieces.back().text += text;
}

}  // namespace

Result<TextTemplate, std::string> TextTemplate::parse(std::string_view text) {
  TextTemplate parsed;
  while (!text.empty()) {
    const std::string_view escaped =
        text.starts_with("{{") ? name_at(text.substr(1)) : std::string_view{};
    if (!escaped.empty() && text.substr(escaped.size() + 2).starts_with("}}")) {
      append_text(parsed, text.substr(1, escaped.size() + 2));
      text.remove_prefix(escaped.size() + 4);
      continue;
    }
    const std::string_view name = name_at(text);
    if (name.empty()) {
      const size_t next = std::min(text.find('{', 1), text.size());
      append_text(parsed, text.substr(0, next));
      text.remove_prefix(next);
      continue;
    }
    auto found = variable(name);
    if (!found) {
      return Failure<std::string>{found.error()};
    }
    parsed.pieces.push_back(std::move(*found));
    text.remove_prefix(name.size() + 2);
  }
  return parsed;
}

TextTemplate TextTemplate::literal(std::string_view text) {
  TextTemplate made;
  if (!text.empty()) {
    append_text(made, text);
  }
  return made;
}

bool TextTemplate::has_variables() const {
  return std::any_of(pieces.begin(), pieces.end(),
                     [](const Piece& piece) { return piece.variable != Variable::kNone; });
}

std::string_view variable_name(Variable variable) noexcept {
  for (const Known& known : kKnown) {
    if (known.variable == variable) {
      return known.name;
    }
  }
  for (const Known& known : kNamed) {
    if (known.variable == variable) {
      return known.name;
    }
  }
  return {};
}

std::string variable_names() {
  std::string out;
  for (const Known& known : kKnown) {
    out += fmt::format("`{}`, ", known.name);
  }
  for (const Known& known : kNamed) {
    out += fmt::format("`{}NAME`{}", known.name, known.name == kNamed.back().name ? "" : ", ");
  }
  return out;
}

}  // namespace hangu::config

#include "hangu/identity/signature_fields.h"

#include <algorithm>

#include "hangu/base/parse.h"

namespace hangu::identity {
namespace {

constexpr int64_t kIntegerMax = 999'999'999'999'999;  // RFC 8941 §3.3.1

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads a text from its beginning; a function that returns false has found something else.
class Scanner {
 public:
  explicit Scanner(std::string_view text)
      : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }

  size_t place() const { return at_; }

  std::string_view since(size_t begin) const { return text_.substr(begin, at_ - begin); }

  char peek() const { return at_end() ? '\0' : text_[at_]; }

  bool take(char c) {
    const bool there = !at_end() && text_[at_] == c;
    at_ += there ? 1 : 0;
    return there;
  }

  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') {
      ++at_;
    }
  }

  /// A key of a dictionary or a parameter.
  bool key(std::string_view& out) {
    const size_t begin = at_;
    if (!is_lower(peek()) && peek() != '*') {
      return false;
    }
    const auto belongs = [](char c) {
      return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
    };
    while (!at_end() && belongs(peek())) {
      ++at_;
    }
    out = since(begin);
    return true;
  }

  /// Between quotes. Escapes are not needed for anything that is looked at here: they are refused.
  bool string(std::string_view& out) {
    if (!take('"')) {
      return false;
    }
    const size_t begin = at_;
    while (!at_end() && peek() != '"') {
      const char c = peek();
      if (c < ' ' || c > '~' || c == '\\') {
        return false;
      }
      ++at_;
    }
    out = since(begin);
    return take('"');
  }

  bool integer(int64_t& out) {
    const size_t begin = at_;
    while (is_digit(peek())) {
      ++at_;
    }
    const auto value = parse_decimal(since(begin), kIntegerMax);
    out = value ? static_cast<int64_t>(*value) : 0;
    return value.has_value();
  }

  /// ":base64:"
  bool bytes(std::string_view& out) {
    if (!take(':')) {
      return false;
    }
    const size_t begin = at_;
    while (!at_end() && peek() != ':') {
      ++at_;
    }
    out = since(begin);
    return take(':');
  }

  /// Between two members of a dictionary; false: there is no next one.
  bool comma() {
    skip_spaces();
    if (!take(',')) {
      return false;
    }
    skip_spaces();
    return true;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

/// A field's name in lower case, or what is derived from the message.
bool is_component_name(std::string_view name) {
  constexpr std::array<std::string_view, 8> kDerived = {"@method", "@target-uri",     "@authority",
                                                        "@scheme", "@request-target", "@path",
                                                        "@query",  "@query-param"};
  if (name.starts_with('@')) {
    return std::find(kDerived.begin(), kDerived.end(), name) != kDerived.end();
  }
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

/// Of parameters only the `name` of @query-param is supported: nothing else changes what is signed
/// in a way that a verifier could leave out.
bool read_component(Scanner& in, SignedComponent& out) {
  if (!in.string(out.name) || !is_component_name(out.name)) {
    return false;
  }
  const bool named = out.name == "@query-param";
  const size_t begin = in.place();
  if (in.take(';')) {
    std::string_view key;
    if (!named || !in.key(key) || key != "name" || !in.take('=') || !in.string(out.parameter)) {
      return false;
    }
    out.parameters = in.since(begin);
  }
  return named == !out.parameters.empty();
}

/// With one space between two of them and none elsewhere, as a signer has to write it.
bool read_components(Scanner& in, SignatureInput& out) {
  if (!in.take('(')) {
    return false;
  }
  while (!in.take(')')) {
    if (out.count == SignatureInput::kComponentsMax || (out.count != 0 && !in.take(' '))) {
      return false;
    }
    SignedComponent& next = out.list[out.count];
    if (!read_component(in, next)) {
      return false;
    }
    const auto before = out.components();
    if (std::find(before.begin(), before.end(), next) != before.end()) {
      return false;
    }
    ++out.count;
  }
  return true;
}

bool read_time(Scanner& in, std::optional<int64_t>& out) {
  int64_t value = 0;
  if (out || !in.integer(value)) {
    return false;
  }
  out = value;
  return true;
}

bool read_text(Scanner& in, std::string_view& out) {
  return out.empty() && in.string(out) && !out.empty();
}

bool read_parameters(Scanner& in, SignatureInput& out) {
  while (in.take(';')) {
    std::string_view key;
    if (!in.key(key) || !in.take('=')) {
      return false;
    }
    const bool good = key == "created"   ? read_time(in, out.created)
                      : key == "expires" ? read_time(in, out.expires)
                      : key == "keyid"   ? read_text(in, out.key_id)
                      : key == "alg"     ? read_text(in, out.algorithm)
                      : key == "nonce"   ? read_text(in, out.nonce)
                      : key == "tag"     ? read_text(in, out.tag)
                                         : false;
    if (!good) {
      return false;
    }
  }
  return true;
}

bool read_input(Scanner& in, SignatureInput& out) {
  if (!in.key(out.label) || !in.take('=')) {
    return false;
  }
  const size_t begin = in.place();
  if (!read_components(in, out) || !read_parameters(in, out)) {
    return false;
  }
  out.text = in.since(begin);
  return true;
}

/// Sets a parameter of credentials; false: unknown value, or there already.
bool set_parameter(std::string_view name, std::string_view value, SignatureCredentials& out) {
  const auto set = [value](std::string_view& to) {
    const bool first = to.empty();
    to = value;
    return first && !value.empty();
  };
  const auto set_time = [value](std::optional<int64_t>& to) {
    const auto number = parse_decimal(value, kIntegerMax);
    const bool first = !to.has_value();
    to = number ? std::optional(static_cast<int64_t>(*number)) : std::nullopt;
    return first && number.has_value();
  };
  if (name == "keyId" || name == "username") {
    return set(out.key_id);
  }
  if (name == "algorithm") {
    return set(out.algorithm);
  }
  if (name == "headers") {
    return set(out.headers);
  }
  if (name == "signature") {
    return set(out.signature);
  }
  if (name == "created") {
    return set_time(out.created);
  }
  return name == "expires" && set_time(out.expires);
}

}  // namespace

std::optional<SignatureInputs> parse_signature_inputs(std::string_view field) {
  if (field.size() > kSignatureFieldBytesMax) {
    return std::nullopt;
  }
  Scanner in(field);
  SignatureInputs found;
  do {
    if (found.count == SignatureInputs::kMax || !read_input(in, found.list[found.count])) {
      return std::nullopt;
    }
    const auto same = [&](const SignatureInput& one) {
      return one.label == found.list[found.count].label;
    };
    if (std::any_of(found.list.begin(), found.list.begin() + static_cast<ptrdiff_t>(found.count),
                    same)) {
      return std::nullopt;
    }
    ++found.count;
  } while (in.comma());
  return in.at_end() ? std::optional(found) : std::nullopt;
}

std::optional<std::string_view> find_bytes(std::string_view field, std::string_view label) {
  if (field.size() > kSignatureFieldBytesMax) {
    return std::nullopt;
  }
  Scanner in(field);
  std::optional<std::string_view> found;
  do {
    std::string_view key;
    std::string_view value;
    if (!in.key(key) || !in.take('=') || !in.bytes(value) || (key == label && found)) {
      return std::nullopt;
    }
    if (key == label) {
      found = value;
    }
  } while (in.comma());
  return in.at_end() ? found : std::nullopt;
}

std::optional<SignatureCredentials> parse_signature_credentials(std::string_view text) {
  if (text.size() > kSignatureFieldBytesMax) {
    return std::nullopt;
  }
  Scanner in(text);
  SignatureCredentials found;
  do {
    const size_t begin = in.place();
    while ((in.peek() | 0x20) >= 'a' && (in.peek() | 0x20) <= 'z') {
      static_cast<void>(in.take(in.peek()));
    }
    const std::string_view name = in.since(begin);
    std::string_view value;
    int64_t number = 0;
    if (!in.take('=')) {
      return std::nullopt;
    }
    const size_t from = in.place();
    if (in.peek() == '"') {
      if (!in.string(value)) {
        return std::nullopt;
      }
    } else if (in.integer(number)) {
      value = in.since(from);
    } else {
      return std::nullopt;
    }
    if (!set_parameter(name, value, found)) {
      return std::nullopt;
    }
  } while (in.comma());
  const bool complete = in.at_end() && !found.key_id.empty() && !found.signature.empty();
  return complete ? std::optional(found) : std::nullopt;
}

}  // namespace hangu::identity

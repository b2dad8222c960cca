#include "config/text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/base/parse.h"

namespace hangu::config {

namespace {

constexpr size_t kQuotedMax = 60;

unsigned char byte_at(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// Whether a plain scalar of this text would mean something else, or does not look like text.
bool resolves_to_other(std::string_view text) {
  const std::string word = lower_case(text);
  static constexpr std::array<std::string_view, 11> kWords = {
      "null", "~", "true", "false", "on", "off", "yes", "no", "y", "n", "="};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end() ||
         text.find_first_not_of("0123456789.+-_:") == std::string_view::npos;
}

bool plain_is_safe(std::string_view text) {
  if (text.empty() || text.back() == ':' || resolves_to_other(text)) {
    return false;
  }
  if (!is_alnum(text[0]) && text[0] != '/' && text[0] != '_' && text[0] != '.') {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || std::string_view("_./:-+=@").find(c) != std::string_view::npos;
  });
}

std::string json_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const size_t length = utf8_length(text, at);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (is_control(c)) {
      out += fmt::format("\\u{:04x}", byte_at(text, at));
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(at, length);
    }
    at += std::max<size_t>(length, 1);
  }
  return out;
}

/// Takes digits off; whether there was one.
bool take_digits(std::string_view& text) {
  const size_t before = text.size();
  while (!text.empty() && is_digit(text.front())) {
    text.remove_prefix(1);
  }
  return text.size() != before;
}

}  // namespace

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_alnum(char c) {
  return is_digit(c) || is_alpha(c);
}

bool is_tchar(char c) {
  return is_alnum(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    out += i == 0 ? std::string_view() : separator;
    out += parts[i];
  }
  return out;
}

size_t utf8_count(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    at += std::max<size_t>(utf8_length(text, at), 1);
  }
  return count;
}

std::string quoted(std::string_view text) {
  size_t end = text.size();
  if (end > kQuotedMax) {
    end = kQuotedMax;
    while (end > 0 && (byte_at(text, end) & 0xC0) == 0x80) {
      --end;
    }
  }
  return '"' + json_escape(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

std::string json_string(std::string_view text) {
  return '"' + json_escape(text) + '"';
}

bool is_json_number(std::string_view text) {
  if (text.starts_with('-')) {
    text.remove_prefix(1);
  }
  const bool zero = text.starts_with('0');
  const size_t whole = text.size();
  if (!take_digits(text) || (zero && whole - text.size() != 1)) {
    return false;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!take_digits(text)) {
      return false;
    }
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) {
      text.remove_prefix(1);
    }
    if (!take_digits(text)) {
      return false;
    }
  }
  return text.empty();
}

std::string json_pretty(std::string_view compact) {
  std::string out;
  size_t depth = 0;
  bool in_string = false;
  const auto line_break = [&] {
    out += '\n';
    out.append(depth * 2, ' ');
  };
  for (size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < compact.size()) {
        out += compact[++i];
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    const char next = i + 1 < compact.size() ? compact[i + 1] : '\0';
    if ((c == '{' && next == '}') || (c == '[' && next == ']')) {
      out += c;
      out += next;
      ++i;
    } else if (c == '{' || c == '[') {
      out += c;
      ++depth;
      line_break();
    } else if (c == '}' || c == ']') {
      --depth;
      line_break();
      out += c;
    } else if (c == ',') {
      out += c;
      line_break();
    } else if (c == ':') {
      out += ": ";
    } else {
      in_string = c == '"';
      out += c;
    }
  }
  return out + '\n';
}

std::string yaml_scalar(std::string_view text) {
  return plain_is_safe(text) ? std::string(text) : json_string(text);
}

std::string did_you_mean(std::string_view x) {
  return x.empty() ? std::string() : fmt::format("did you mean {}?", quoted(x));
}

}  // namespace hangu::config

#include "hangu/identity/claims.h"

#include <algorithm>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace hangu::identity {
namespace {

namespace json = boost::json;

/// Receives the tokens of the JSON text and keeps what Claims wants.
class Flattener {
 public:
  static constexpr size_t max_object_size = Claims::kCountMax;  // NOLINT: names that Boost asks for
  static constexpr size_t max_array_size = Claims::kCountMax;   // NOLINT
  static constexpr size_t max_key_size = 256;                   // NOLINT
  static constexpr size_t max_string_size = 16 * 1024;          // NOLINT

  std::vector<Claim> claims;

  bool on_document_begin(json::error_code&) { return true; }

  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& error) {
    if (levels_.empty() ? begun_ : levels_.size() >= Claims::kDepthMax) {
      return refuse(error);
    }
    begun_ = true;
    levels_.push_back({.path = current_, .is_list = false, .names = {}});
    return true;
  }

  bool on_object_end(size_t, json::error_code&) { return leave(); }

  bool on_array_begin(json::error_code& error) {
    if (levels_.empty() || levels_.size() >= Claims::kDepthMax) {
      return refuse(error);  // the token is an object
    }
    levels_.push_back({.path = current_, .is_list = true, .names = {}});
    return true;
  }

  bool on_array_end(size_t, json::error_code&) { return leave(); }

  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }

  bool on_key(json::string_view part, size_t, json::error_code& error) {
    text_.append(part.data(), part.size());
    Level& level = levels_.back();
    if (std::find(level.names.begin(), level.names.end(), text_) != level.names.end()) {
      return refuse(error);
    }
    current_ = level.path.empty() ? text_ : level.path + '.' + text_;
    level.names.push_back(std::move(text_));
    text_.clear();
    return true;
  }

  bool on_string_part(json::string_view part, size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }

  bool on_string(json::string_view part, size_t, json::error_code& error) {
    text_.append(part.data(), part.size());
    const bool kept = keep(std::move(text_), true, error);
    text_.clear();
    return kept;
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }

  bool on_int64(int64_t value, json::string_view, json::error_code& error) {
    return keep(std::to_string(value), false, error);
  }

  bool on_uint64(uint64_t value, json::string_view, json::error_code& error) {
    return keep(std::to_string(value), false, error);
  }

  bool on_double(double value, json::string_view, json::error_code& error) {
    return keep(fmt::format("{}", value), false, error);
  }

  bool on_bool(bool value, json::error_code& error) {
    return keep(value ? "true" : "false", false, error);
  }

  bool on_null(json::error_code& error) { return levels_.empty() ? refuse(error) : true; }

  bool on_comment_part(json::string_view, json::error_code&) { return true; }

  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  struct Level {
    std::string path;
    bool is_list = false;
    std::vector<std::string> names;
  };

  static bool refuse(json::error_code& error) {
    error = json::error::syntax;
    return false;
  }

  bool leave() {
    levels_.pop_back();
    current_ = levels_.empty() ? std::string() : levels_.back().path;
    return true;
  }

  bool keep(std::string value, bool is_string, json::error_code& error) {
    if (levels_.empty() || claims.size() >= Claims::kCountMax) {
      return refuse(error);
    }
    const Level& level = levels_.back();
    claims.push_back({.name = level.is_list ? level.path : current_,
                      .value = std::move(value),
                      .is_string = is_string,
                      .in_list = level.is_list});
    return true;
  }

  std::vector<Level> levels_;
  std::string current_;  // name of the value to come
  std::string text_;     // that comes in parts
  bool begun_ = false;
};

}  // namespace

std::optional<Claims> Claims::parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax + 1;
  json::basic_parser<Flattener> parser(options);
  json::error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error || !parser.done() ||
      text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
    return std::nullopt;
  }
  Claims claims;
  claims.claims_ = std::move(parser.handler().claims);
  return claims;
}

const Claim* Claims::find(std::string_view name) const {
  const auto found = std::find_if(claims_.begin(), claims_.end(),
                                  [&](const Claim& claim) { return claim.name == name; });
  return found != claims_.end() ? &*found : nullptr;
}

std::string_view Claims::text(std::string_view name) const {
  const Claim* claim = find(name);
  return claim != nullptr && claim->is_string && !claim->in_list ? std::string_view(claim->value)
                                                                 : std::string_view{};
}

std::optional<int64_t> Claims::seconds(std::string_view name) const {
  const Claim* claim = find(name);
  if (claim == nullptr || claim->is_string || claim->in_list) {
    return std::nullopt;
  }
  const std::string_view digits = std::string_view(claim->value).substr(0, claim->value.find('.'));
  constexpr size_t kDigitsMax = 17;  // beyond the end of all calendars, and no overflow
  if (digits.empty() || digits.size() > kDigitsMax) {
    return std::nullopt;
  }
  int64_t seconds = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    seconds = seconds * 10 + (c - '0');
  }
  return seconds;
}

bool Claims::has(std::string_view name, std::string_view value) const {
  return std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
    return claim.name == name && claim.value == value;
  });
}

bool Claims::has_any(std::string_view name, std::span<const std::string> values) const {
  return std::any_of(values.begin(), values.end(),
                     [&](const std::string& value) { return has(name, value); });
}

bool Claims::has_words(std::string_view name, std::span<const std::string> wanted) const {
  const std::vector<std::string_view> held = words(name);
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& word) {
    return std::find(held.begin(), held.end(), word) != held.end();
  });
}

std::vector<std::string_view> Claims::words(std::string_view name) const {
  std::vector<std::string_view> words;
  for (const Claim& claim : claims_) {
    if (claim.name != name) {
      continue;
    }
    if (claim.in_list) {
      words.push_back(claim.value);
      continue;
    }
    const std::string_view text = claim.value;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find(' ', at), text.size());
      if (end != at) {
        words.push_back(text.substr(at, end - at));
      }
      at = end + 1;
    }
  }
  return words;
}

}  // namespace hangu::identity

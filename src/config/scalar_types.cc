#include "config/scalar_types.h"

#include <algorithm>
#include <array>

#include "hangu/base/letter_case.h"

namespace hangu::config {

std::string or_variable(std::string_view schema) {
  return fmt::format("\"anyOf\":[{{{}}},{{\"$ref\":\"#/$defs/variable\"}}]", schema);
}

Problem out_of_range(std::string_view text, std::string_view least, std::string_view most) {
  return {"E0115", fmt::format("{} is out of range: {} … {}", text, least, most), ""};
}

Problem not_a_number(std::string_view text) {
  return {"E0114", fmt::format("{} is not a whole number", quoted(text)), ""};
}

Problem unknown_version(std::string_view text) {
  return {"E0107", fmt::format("version {} of the config is not known here", quoted(text)),
          "this build of hangu reads `version: 1`"};
}

Problem not_a_duration(std::string_view text) {
  std::string suggestion;
  const std::string small = lower_case(text);
  const size_t digits = std::min(small.find_first_not_of("0123456789"), small.size());
  const std::string number = small.substr(0, digits);
  const std::string_view unit = trim(std::string_view(small).substr(digits));
  if (!number.empty() && number.size() < 12) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kUnits = {{
        {"", "s"},
        {"sec", "s"},
        {"secs", "s"},
        {"second", "s"},
        {"seconds", "s"},
        {"min", "m"},
        {"mins", "m"},
        {"minute", "m"},
        {"minutes", "m"},
        {"hour", "h"},
        {"hours", "h"},
        {"hr", "h"},
        {"day", "d"},
        {"days", "d"},
        {"s", "s"},
        {"msec", "ms"},
        {"millis", "ms"},
    }};
    for (const auto& [wrong, right] : kUnits) {
      if (unit == wrong) {
        suggestion = fmt::format("did you mean {}{}?", number, right);
      }
    }
  }
  return {"E0112",
          fmt::format("{} is not a duration: a whole number and one unit of ms, s, m, h, d, "
                      "such as 10s",
                      quoted(text)),
          std::move(suggestion)};
}

Problem not_a_size(std::string_view text) {
  std::string suggestion;
  const std::string small = lower_case(text);
  const size_t digits = std::min(small.find_first_not_of("0123456789"), small.size());
  const std::string_view unit = trim(std::string_view(small).substr(digits));
  if (digits > 0 && digits < 12 && !unit.empty()) {
    static constexpr std::array<std::pair<char, std::string_view>, 3> kUnits = {{
        {'k', "KiB"},
        {'m', "MiB"},
        {'g', "GiB"},
    }};
    for (const auto& [letter, right] : kUnits) {
      if (unit[0] == letter) {
        suggestion = fmt::format("did you mean {}{}?", small.substr(0, digits), right);
      }
    }
  }
  return {"E0113",
          fmt::format("{} is not a size: a whole number of bytes, or with KiB, MiB, GiB, KB, "
                      "MB, GB, such as 64KiB",
                      quoted(text)),
          std::move(suggestion)};
}

std::string DurationType::schema() const {
  return "\"anyOf\":[{\"$ref\":\"#/$defs/duration\"},{\"$ref\":\"#/$defs/variable\"}]";
}

std::string DurationType::limits() const {
  std::string out =
      fmt::format("{} … {}", format_duration(range_.least), format_duration(range_.most));
  return out + (range_.zero_note.empty() ? "" : fmt::format("; 0: {}", range_.zero_note));
}

std::optional<Problem> DurationType::parse(Reader& /*reader*/, const std::string& text,
                                           Duration& out) const {
  const std::optional<Duration> duration = parse_duration(text);
  if (!duration) {
    return not_a_duration(text);
  }
  const bool is_allowed_zero = *duration == Duration::zero() && !range_.zero_note.empty();
  if ((*duration < range_.least || *duration > range_.most) && !is_allowed_zero) {
    return out_of_range(text, format_duration(range_.least), format_duration(range_.most));
  }
  out = *duration;
  return std::nullopt;
}

Value DurationType::format(const Config& /*config*/, const Duration& value) const {
  Value out = Value::scalar(format_duration(value));
  return out;
}

std::string size_schema() {
  return "\"anyOf\":[{\"$ref\":\"#/$defs/size\"},{\"$ref\":\"#/$defs/variable\"}]";
}

std::string size_limits(const SizeRange& range) {
  std::string out = fmt::format("{} … {}", format_size(range.least), format_size(range.most));
  return out + (range.zero_note.empty() ? "" : fmt::format("; 0: {}", range.zero_note));
}

std::optional<Problem> parse_size_in(const SizeRange& range, const std::string& text,
                                     uint64_t& out) {
  const std::optional<uint64_t> bytes = parse_size(text);
  if (!bytes) {
    return not_a_size(text);
  }
  if ((*bytes < range.least || *bytes > range.most) && (*bytes != 0 || range.zero_note.empty())) {
    return out_of_range(text, format_size(range.least), format_size(range.most));
  }
  out = *bytes;
  return std::nullopt;
}

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "true" || text == "on") {
    return true;
  }
  if (text == "false" || text == "off") {
    return false;
  }
  return std::nullopt;
}

std::string SwitchType::schema() const {
  return or_variable("\"enum\":[true,false,\"on\",\"off\"]");
}

std::optional<Problem> SwitchType::parse(Reader& /*reader*/, const std::string& text,
                                         bool& out) const {
  const std::optional<bool> value = parse_switch(text);
  if (value) {
    out = *value;
    return std::nullopt;
  }
  const std::string small = lower_case(text);
  std::string suggestion;
  if (small == "yes" || small == "y" || small == "1" || parse_switch(small) == true) {
    suggestion = "did you mean true?";
  } else if (small == "no" || small == "n" || small == "0" || parse_switch(small) == false) {
    suggestion = "did you mean false?";
  }
  return Problem{"E0116", fmt::format("{} is neither true nor false", quoted(text)),
                 std::move(suggestion)};
}

Value SwitchType::format(const Config& /*config*/, const bool& value) const {
  return Value::scalar(value ? "true" : "false");
}

Problem not_a_choice(std::string_view text, const std::vector<std::string_view>& words) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) {
    list += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    list += words[i];
  }
  return {"E0111", fmt::format("{} is none of {}", quoted(text), list),
          did_you_mean(nearest(text, words))};
}

std::string StatusRangeType::schema() const {
  return "\"anyOf\":[{\"type\":\"integer\",\"minimum\":100,\"maximum\":599},"
         "{\"type\":\"string\",\"pattern\":\"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$\"},"
         "{\"$ref\":\"#/$defs/variable\"}]";
}

std::optional<Problem> StatusRangeType::parse(Reader& /*reader*/, const std::string& text,
                                              StatusRange& out) const {
  constexpr uint64_t kLeast = 100;
  constexpr uint64_t kMost = 599;
  const size_t dash = std::min(text.find('-'), text.size());
  const auto first = parse_decimal(std::string_view(text).substr(0, dash));
  const auto last =
      dash == text.size() ? first : parse_decimal(std::string_view(text).substr(dash + 1));
  if (!first || !last || *first < kLeast || *last > kMost || *first > *last) {
    return Problem{
        "E0111",
        fmt::format("{} is not a status such as 200, or a range such as 200-399", quoted(text)),
        ""};
  }
  out = {.first = static_cast<uint32_t>(*first), .last = static_cast<uint32_t>(*last)};
  return std::nullopt;
}

Value StatusRangeType::format(const Config& /*config*/, const StatusRange& value) const {
  return value.first == value.last ? Value::scalar(std::to_string(value.first))
                                   : Value::string(fmt::format("{}-{}", value.first, value.last));
}

std::optional<Problem> resolve_name(Reader& reader, const ReferredList& referred,
                                    const std::string& text, uint32_t& out) {
  const auto& elements = reader.names(std::string(referred.list));
  const auto found = elements.find(text);
  if (found != elements.end()) {
    out = found->second.index;
    return std::nullopt;
  }
  std::vector<std::string_view> names;
  for (const auto& [name, element] : elements) {
    names.emplace_back(name);
    if (names.size() == 200) {
      break;
    }
  }
  std::string suggestion = did_you_mean(nearest(text, names));
  if (suggestion.empty()) {
    suggestion = names.empty() ? fmt::format("there are no {}", referred.list) : "";
  }
  return Problem{"E0131", fmt::format("no {} is named {}", referred.kind, quoted(text)),
                 std::move(suggestion)};
}

std::string RateType::schema() const {
  return or_variable(R"("type":"string","pattern":"^[0-9]+([KMG]i?)?B?/[smh]$")");
}

std::optional<Problem> RateType::parse(Reader& /*reader*/, const std::string& text,
                                       Rate& out) const {
  constexpr uint64_t kPerSecondMax = 1'000'000'000'000;
  const std::optional<Rate> rate = parse_rate(text);
  if (!rate) {
    return Problem{"E0138",
                   fmt::format("{} is not a rate: a whole number and one of /s, /m, /h, such as "
                               "100/s",
                               quoted(text)),
                   parse_decimal(text) ? fmt::format("did you mean {}/s?", text) : ""};
  }
  const auto in_seconds = std::chrono::duration_cast<std::chrono::seconds>(rate->per).count();
  if (rate->count == 0 || rate->count / static_cast<uint64_t>(in_seconds) > kPerSecondMax) {
    return out_of_range(text, "1/h", "1000000000000/s");
  }
  out = *rate;
  return std::nullopt;
}

Value RateType::format(const Config& /*config*/, const Rate& value) const {
  return value.count != 0 ? Value::string(format_rate(value)) : Value{};
}

std::string PercentType::schema() const {
  return or_variable(R"("anyOf":[{"type":"number","minimum":0,"maximum":100},)"
                     R"({"type":"string","pattern":"^[0-9]{1,3}([.][0-9]{1,4})?%?$"}])");
}

std::optional<Problem> PercentType::parse(Reader& /*reader*/, const std::string& text,
                                          Percent& out) const {
  constexpr size_t kDecimals = 4;
  std::string_view number = text;
  if (number.ends_with('%')) {
    number.remove_suffix(1);
  }
  const size_t point = number.find('.');
  std::string decimals(point == std::string_view::npos ? "" : number.substr(point + 1));
  const bool bare = point != std::string_view::npos && decimals.empty();
  const bool fine = decimals.size() <= kDecimals;
  decimals.resize(kDecimals, '0');
  const std::optional<uint64_t> whole = parse_decimal(number.substr(0, point));
  const std::optional<uint64_t> rest = parse_decimal(decimals);
  if (!whole || !rest || bare || !fine) {
    return Problem{"E0114",
                   fmt::format("{} is not a percentage such as 5 or 0.25: at most four decimals",
                               quoted(text)),
                   ""};
  }
  if (*whole > 100 || (*whole == 100 && *rest != 0)) {
    return out_of_range(text, "0", "100");
  }
  out.millionths = static_cast<uint32_t>(*whole * 10'000 + *rest);
  return std::nullopt;
}

Value PercentType::format(const Config& /*config*/, const Percent& value) const {
  std::string text = fmt::format("{}.{:04}", value.millionths / 10'000, value.millionths % 10'000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return Value::scalar(std::move(text));
}

namespace {

struct KeyPartWord {
  enum class Name : uint8_t { kNone, kSome, kCapture };

  std::string_view word;
  KeyPart::Kind kind;
  Name name = Name::kNone;
};

constexpr std::array<KeyPartWord, 13> kKeyPartWords = {{
    {"client_ip", KeyPart::Kind::kClientIp},
    {"host", KeyPart::Kind::kHost},
    {"route", KeyPart::Kind::kRoute},
    {"method", KeyPart::Kind::kMethod},
    {"path", KeyPart::Kind::kPath},
    {"path", KeyPart::Kind::kCapture, KeyPartWord::Name::kCapture},
    {"header", KeyPart::Kind::kHeader, KeyPartWord::Name::kSome},
    {"cookie", KeyPart::Kind::kCookie, KeyPartWord::Name::kSome},
    {"query", KeyPart::Kind::kQuery, KeyPartWord::Name::kSome},
    {"consumer", KeyPart::Kind::kConsumer},
    {"claim", KeyPart::Kind::kClaim, KeyPartWord::Name::kSome},
    {"tls_server_name", KeyPart::Kind::kTlsServerName},
    {"tls_client", KeyPart::Kind::kTlsClient},
}};

Problem bad_name(std::string_view text, const KeyPartWord& known) {
  if (known.name == KeyPartWord::Name::kNone) {
    return {"E0139", fmt::format("{} takes no name", quoted(known.word)), ""};
  }
  return {"E0139", fmt::format("{} lacks a name", quoted(text)),
          fmt::format("write `{}:NAME`", known.word)};
}

}  // namespace

std::string KeyPartType::schema() const {
  return or_variable(R"("type":"string","pattern":)"
                     R"("^(client_ip|host|route|method|path|consumer|tls_server_name|tls_client|)"
                     R"(path:[{].+[}]|(header|cookie|query|claim):.+)$")");
}

std::optional<Problem> KeyPartType::parse(Reader& /*reader*/, const std::string& text,
                                          KeyPart& out) const {
  using Name = KeyPartWord::Name;
  const size_t colon = text.find(':');
  const bool has_name = colon != std::string::npos;
  const std::string_view word = std::string_view(text).substr(0, colon);
  std::vector<std::string_view> words;
  for (const KeyPartWord& known : kKeyPartWords) {
    words.push_back(known.word);
    if (known.word != word || (word == "path" && (known.name != Name::kNone) != has_name)) {
      continue;
    }
    std::string name = has_name ? text.substr(colon + 1) : "";
    if (known.name == Name::kCapture) {
      const bool braces = name.size() > 2 && name.front() == '{' && name.back() == '}';
      if (!braces) {
        return Problem{"E0139", fmt::format("{} is no capture of a path", quoted(text)),
                       fmt::format("write \"path:{{{}}}\"", name.empty() ? "id" : name)};
      }
      name = name.substr(1, name.size() - 2);
    }
    if ((known.name != Name::kNone) != !name.empty()) {
      return bad_name(text, known);
    }
    out = {known.kind, known.kind == KeyPart::Kind::kHeader ? lower_case(name) : std::move(name)};
    return std::nullopt;
  }
  return Problem{"E0139", fmt::format("{} is nothing to count by", quoted(text)),
                 did_you_mean(nearest(word, words))};
}

std::string format_key_part(const KeyPart& part) {
  for (const KeyPartWord& known : kKeyPartWords) {
    if (known.kind != part.kind) {
      continue;
    }
    switch (known.name) {
      case KeyPartWord::Name::kNone: return std::string(known.word);
      case KeyPartWord::Name::kSome: return fmt::format("{}:{}", known.word, part.name);
      case KeyPartWord::Name::kCapture: return fmt::format("{}:{{{}}}", known.word, part.name);
    }
  }
  return "";
}

Value KeyPartType::format(const Config& /*config*/, const KeyPart& value) const {
  return Value::string(format_key_part(value));
}

std::optional<Problem> VersionType::parse(Reader& /*reader*/, const std::string& text,
                                          Config& /*out*/) const {
  if (text == "1") {
    return std::nullopt;
  }
  return unknown_version(text);
}

Value VersionType::format(const Config& /*config*/, const Config& /*value*/) const {
  return Value::scalar("1");
}

}  // namespace hangu::config

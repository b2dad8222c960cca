// The types of single values of rate limits and stores; see scalar_types.h.
#include <charconv>

#include "hangu/base/letter_case.h"
#include "hangu/config/endpoint_file.h"

#include "config/scalar_types.h"

namespace hangu::config {
namespace {

constexpr uint64_t kCostMax = 1'000'000;
constexpr std::string_view kHeaderWord = "response_header:";
constexpr std::array<std::pair<std::string_view, RateCost::Kind>, 3> kCostWords = {{
    {"request_bytes", RateCost::Kind::kRequestBytes},
    {"response_bytes", RateCost::Kind::kResponseBytes},
    {"bytes", RateCost::Kind::kBytes},
}};

}  // namespace

std::string RateCostType::schema() const {
  return or_variable(
      R"("anyOf":[{"type":"integer","minimum":1,"maximum":1000000},)"
      R"({"type":"string","pattern":"^((request_|response_)?bytes|response_header:.+)$"}])");
}

std::optional<Problem> RateCostType::parse(Reader& /*reader*/, const std::string& text,
                                           RateCost& out) const {
  if (const std::optional<uint64_t> number = parse_decimal(text)) {
    if (*number < 1 || *number > kCostMax) {
      return out_of_range(text, "1", std::to_string(kCostMax));
    }
    out = {.kind = RateCost::Kind::kFixed, .fixed = *number, .header = {}};
    return std::nullopt;
  }
  std::vector<std::string_view> words = {"response_header:NAME"};
  for (const auto& [word, kind] : kCostWords) {
    words.push_back(word);
    if (text == word) {
      out = {.kind = kind, .fixed = 1, .header = {}};
      return std::nullopt;
    }
  }
  if (text.rfind(kHeaderWord, 0) == 0) {
    std::string name = lower_case(std::string_view(text).substr(kHeaderWord.size()));
    if (std::optional<Problem> problem = check_header_name(name)) {
      return problem;
    }
    out = {.kind = RateCost::Kind::kResponseHeader, .fixed = 1, .header = std::move(name)};
    return std::nullopt;
  }
  return not_a_choice(text, words);
}

Value RateCostType::format(const Config& /*config*/, const RateCost& value) const {
  if (value.kind == RateCost::Kind::kFixed) {
    return Value::scalar(std::to_string(value.fixed));
  }
  for (const auto& [word, kind] : kCostWords) {
    if (kind == value.kind) {
      return Value::string(std::string(word));
    }
  }
  return Value::string(std::string(kHeaderWord) + value.header);
}

// --- the offset of local time -----------------------------------------------------------------

std::string UtcOffsetType::schema() const {
  return or_variable(R"("type":"string","pattern":"^[+-][0-9]{2}:[0-9]{2}$")");
}

std::optional<Problem> UtcOffsetType::parse(Reader& /*reader*/, const std::string& text,
                                            int32_t& out) const {
  constexpr int32_t kLeast = -12 * 60;
  constexpr int32_t kMost = 14 * 60;
  const bool shaped = text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':';
  const std::optional<uint64_t> hours = shaped ? parse_decimal(text.substr(1, 2)) : std::nullopt;
  const std::optional<uint64_t> minutes = shaped ? parse_decimal(text.substr(4, 2)) : std::nullopt;
  if (!hours || !minutes || *minutes >= 60) {
    return Problem{"E0170",
                   fmt::format("{} is not an offset from UTC, such as +08:00", quoted(text)), ""};
  }
  const auto size = static_cast<int32_t>(*hours * 60 + *minutes);
  const int32_t offset = text[0] == '-' ? -size : size;
  if (offset < kLeast || offset > kMost) {
    return out_of_range(text, "-12:00", "+14:00");
  }
  out = offset;
  return std::nullopt;
}

Value UtcOffsetType::format(const Config& /*config*/, const int32_t& value) const {
  const int32_t size = value < 0 ? -value : value;
  return Value::string(fmt::format("{}{:02}:{:02}", value < 0 ? '-' : '+', size / 60, size % 60));
}

// --- where a store is -------------------------------------------------------------------------

std::string StoreUrlType::schema() const {
  return or_variable(R"("type":"string","pattern":"^redis://.+$")");
}

std::optional<Problem> StoreUrlType::parse(Reader& /*reader*/, const std::string& text,
                                           StoreUrl& out) const {
  constexpr std::string_view kScheme = "redis://";
  constexpr uint64_t kDatabaseMax = 65535;
  const auto bad = [&text](std::string_view why) {
    return Problem{"E0171", fmt::format("{} is not a store: {}", quoted(text), why),
                   "write `redis://HOST:PORT/DATABASE`"};
  };
  if (text.rfind("rediss://", 0) == 0) {
    return Problem{"E0171", "TLS to a store has a key of its own",  // may hold a password
                   "write `redis://HOST:PORT/DATABASE` and `tls: on`"};
  }
  if (text.rfind(kScheme, 0) != 0) {
    return bad("it does not begin with `redis://`");
  }
  std::string place = text.substr(kScheme.size());
  StoreUrl url;
  if (place.find('@') != std::string::npos) {
    return Problem{"E0171", "user and password of a store have keys of their own",  // not shown
                   "write `redis://HOST:PORT/DATABASE`"};
  }
  if (const size_t slash = place.find('/'); slash != std::string::npos) {
    const std::optional<uint64_t> database = parse_decimal(place.substr(slash + 1));
    if (slash + 1 != place.size() && (!database || *database > kDatabaseMax)) {
      return bad("what follows the `/` is no number of a database");
    }
    url.database = static_cast<uint32_t>(database.value_or(0));
    place.resize(slash);
  }
  const bool has_port = place.rfind(':') != std::string::npos && place.back() != ']';
  Endpoint endpoint;
  if (check_endpoint(has_port ? place : place + ":6379", endpoint) || endpoint.host.empty()) {
    return bad("it has no host, or no port that there can be");
  }
  url.host = endpoint.host;
  url.port = endpoint.port;
  out = std::move(url);
  return std::nullopt;
}

Value StoreUrlType::format(const Config& /*config*/, const StoreUrl& value) const {
  if (value.host.empty()) {
    return {};
  }
  Endpoint endpoint;
  endpoint.host = value.host;
  endpoint.port = value.port;
  return Value::string(fmt::format("redis://{}/{}", format_endpoint(endpoint), value.database));
}

}  // namespace hangu::config

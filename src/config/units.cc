#include <array>

#include <fmt/format.h>

#include "hangu/base/parse.h"
#include "hangu/config/duration.h"
#include "hangu/config/size.h"

namespace hangu::config {

namespace {

struct DurationUnit {
  std::string_view name;
  int64_t milliseconds;
};

constexpr std::array<DurationUnit, 5> kDurationUnits = {{
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1000},
    {"ms", 1},
}};

struct SizeUnit {
  std::string_view name;
  uint64_t bytes;
};

constexpr std::array<SizeUnit, 8> kSizeUnits = {{
    {"GiB", 1ULL << 30},
    {"MiB", 1ULL << 20},
    {"KiB", 1ULL << 10},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1000},
    {"B", 1},
    {"", 1},
}};

struct NumberAndUnit {
  uint64_t number;
  std::string_view unit;
};

std::optional<NumberAndUnit> split(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<uint64_t> number = parse_decimal(text.substr(0, digits));
  if (!number) {
    return std::nullopt;
  }
  return NumberAndUnit{*number, text.substr(digits)};
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  const std::optional<NumberAndUnit> parts = split(text);
  if (!parts) {
    return std::nullopt;
  }
  if (parts->number == 0 && parts->unit.empty()) {
    return Duration::zero();
  }
  constexpr auto kMax = std::chrono::duration_cast<std::chrono::milliseconds>(kDurationMax).count();
  for (const DurationUnit& unit : kDurationUnits) {
    if (unit.name == parts->unit) {
      if (parts->number > static_cast<uint64_t>(kMax / unit.milliseconds)) {
        return std::nullopt;
      }
      return std::chrono::milliseconds(static_cast<int64_t>(parts->number) * unit.milliseconds);
    }
  }
  return std::nullopt;
}

std::string format_duration(Duration duration) {
  const int64_t total = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  for (const DurationUnit& unit : kDurationUnits) {
    if (total != 0 && total % unit.milliseconds == 0) {
      return fmt::format("{}{}", total / unit.milliseconds, unit.name);
    }
  }
  return "0";
}

std::optional<uint64_t> parse_size(std::string_view text) noexcept {
  const std::optional<NumberAndUnit> parts = split(text);
  if (!parts) {
    return std::nullopt;
  }
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.name == parts->unit) {
      if (parts->number > static_cast<uint64_t>(INT64_MAX) / unit.bytes) {
        return std::nullopt;
      }
      return parts->number * unit.bytes;
    }
  }
  return std::nullopt;
}

std::string format_size(uint64_t bytes) {
  for (size_t i = 0; i < 3; ++i) {
    if (bytes != 0 && bytes % kSizeUnits[i].bytes == 0) {
      return fmt::format("{}{}", bytes / kSizeUnits[i].bytes, kSizeUnits[i].name);
    }
  }
  return fmt::format("{}", bytes);
}

std::optional<Rate> parse_rate(std::string_view text) noexcept {
  const size_t slash = text.find('/');
  const std::optional<uint64_t> count = parse_size(text.substr(0, slash));
  const std::string_view per = slash != std::string_view::npos ? text.substr(slash + 1) : "";
  if (!count) {
    return std::nullopt;
  }
  if (per == "s") {
    return Rate{*count, std::chrono::seconds(1)};
  }
  if (per == "m") {
    return Rate{*count, std::chrono::minutes(1)};
  }
  if (per == "h") {
    return Rate{*count, std::chrono::hours(1)};
  }
  return std::nullopt;
}

std::string format_rate(const Rate& rate) {
  const std::string per = format_duration(rate.per);
  return fmt::format("{}/{}", rate.count, per.substr(0, 1) == "1" ? per.substr(1) : per);
}

}  // namespace hangu::config

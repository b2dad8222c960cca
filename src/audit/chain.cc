#include "hangu/audit/chain.h"

#include <array>

#include <fmt/format.h>

#include "hangu/base/parse.h"

namespace hangu::audit {
namespace {

constexpr size_t kTextBytesMax = 512;  // escapes included
constexpr size_t kPathBytesMax = 2048;

constexpr std::string_view kSeq = "{\"seq\":";
constexpr std::string_view kPrev = ",\"prev\":\"";
constexpr std::string_view kHash = "\",\"hash\":\"";
constexpr std::string_view kEnd = "\"}";

void add_texts(JsonLine& line, const Record& record) {
  record.for_each_text([&line](Text key, std::string_view value) {
    line.add(json_key_of(key), value, key == Text::kPath ? kPathBytesMax : kTextBytesMax);
  });
}

void add_numbers(JsonLine& line, const Record& record) {
  record.for_each_number([&line](Number key, uint64_t value) {
    if (key >= Number::kDuration) {
      line.add_milliseconds(json_key_of(key), static_cast<int64_t>(value));
    } else {
      line.add(json_key_of(key), value);
    }
  });
}

}  // namespace

std::string_view to_string(DigestKind kind) noexcept {
  return kind == DigestKind::kSm3 ? "sm3" : "sha256";
}

std::optional<DigestKind> digest_kind(std::string_view name) noexcept {
  if (name == "sha256") {
    return DigestKind::kSha256;
  }
  return name == "sm3" ? std::optional(DigestKind::kSm3) : std::nullopt;
}

void Chain::append(const Record& record, uint32_t shard, std::string& out) {
  std::array<char, kLineBytesMax> buffer;
  const std::string_view digits(end_digits_.data(), end_digits_.size());
  JsonLine line(buffer);
  line.add("seq", end_.seq + 1);
  line.add_time("ts", record.time.time_since_epoch().count(), 6);
  line.add("v", uint64_t{kSchemaVersion});
  line.add("node", node_, kTextBytesMax);
  line.add("shard", uint64_t{shard});
  line.add("gen", record.generation);
  line.add("event", to_string(record.event));
  line.add("result", to_string(record.outcome));
  add_texts(line, record);
  add_numbers(line, record);
  line.add("prev", digits);
  go_on_from({.seq = end_.seq + 1, .hash = digester_(line.begun())});
  line.add("hash", digits);
  out += line.finish();
}

std::optional<LinkText> parse_link(std::string_view line) noexcept {
  constexpr size_t kTail = kHash.size() + kHashDigits + kEnd.size();
  constexpr size_t kLinks = kPrev.size() + kHashDigits + kTail;
  if (line.size() < kSeq.size() + kLinks || !line.starts_with(kSeq) || !line.ends_with(kEnd)) {
    return std::nullopt;
  }
  LinkText link;
  const std::string_view links = line.substr(line.size() - kLinks);
  link.prev = links.substr(kPrev.size(), kHashDigits);
  link.hash = links.substr(links.size() - kEnd.size() - kHashDigits, kHashDigits);
  link.hashed = line.substr(0, line.size() - kTail + 1);  // with the quote that ends "prev"
  const size_t digits = line.find(',', kSeq.size());
  const auto seq = parse_decimal(line.substr(kSeq.size(), digits - kSeq.size()));
  if (!seq || !links.starts_with(kPrev) ||
      links.substr(kPrev.size() + kHashDigits, kHash.size()) != kHash) {
    return std::nullopt;
  }
  link.seq = *seq;
  return link;
}

std::string_view member(std::string_view line, std::string_view key) noexcept {
  for (size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
    const bool named = at >= 2 && line[at - 1] == '"' &&
                       (line[at - 2] == ',' || line[at - 2] == '{') &&
                       line.substr(at + key.size()).starts_with("\":");
    if (!named) {
      continue;
    }
    const std::string_view value = line.substr(at + key.size() + 2);
    if (!value.starts_with('"')) {
      return value.substr(0, value.find_first_of(",}"));
    }
    size_t end = value.find_first_of("\"\\", 1);
    while (end < value.size() && value[end] == '\\') {
      end = value.find_first_of("\"\\", end + 2);
    }
    return value.substr(1, end - 1);
  }
  return {};
}

std::optional<uint64_t> number_member(std::string_view line, std::string_view key) noexcept {
  return parse_decimal(member(line, key));
}

std::string checkpoint_text(std::string_view node, uint64_t seq, std::string_view hash,
                            uint64_t count, std::string_view time) {
  return fmt::format("hangu-audit-checkpoint-v1\n{}\n{}\n{}\n{}\n{}\n", node, seq, hash, count,
                     time);
}

}  // namespace hangu::audit

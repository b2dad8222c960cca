// The chain of the audit log: each line ends with the digest of the line before ("prev") and its
// own ("hash", over everything before it), so that none can be changed, removed or moved without
// every later one telling. Pure but for the digest's working memory; one thread.
//
//   {"seq":7,"ts":"...",...,"prev":"<hash of 6>","hash":"<digest of what is left of this>"}
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/audit/json_line.h"
#include "hangu/audit/record.h"
#include "hangu/base/hex.h"
#include "hangu/tls/digest.h"

namespace hangu::audit {

inline constexpr size_t kHashDigits = 64;
inline constexpr size_t kLineBytesMax = 32 * 1024;
inline constexpr int kSchemaVersion = 1;
/// `reason` of a process.start after a run that did not say that it ended.
inline constexpr std::string_view kUncleanEnd = "unclean_end";

using tls::Digest;
using tls::DigestKind;

std::string_view to_string(DigestKind kind) noexcept;
std::optional<DigestKind> digest_kind(std::string_view name) noexcept;

/// The last record: what the next one builds on.
struct ChainEnd {
  uint64_t seq = 0;  // 0: there is none
  Digest hash{};
  bool operator==(const ChainEnd&) const = default;
};

/// Makes lines of records and links them.
class Chain {
 public:
  Chain(DigestKind kind, std::string node, ChainEnd end)
      : digester_(kind),
        node_(std::move(node)) {
    go_on_from(end);
  }

  /// Appends the next line to `out`.
  void append(const Record& record, uint32_t shard, std::string& out);

  const ChainEnd& end() const { return end_; }

  /// Somebody else has made lines since.
  void go_on_from(const ChainEnd& end) {
    end_ = end;
    put_hex(end_digits_.data(), end_.hash);
  }

 private:
  tls::Digester digester_;
  std::string node_;
  ChainEnd end_;
  std::array<char, kHashDigits> end_digits_;  // of end_.hash
};

/// What a line says of its place in the chain; views of the line.
struct LinkText {
  uint64_t seq = 0;
  std::string_view prev;
  std::string_view hash;
  std::string_view hashed;  // what `hash` is the digest of
};

/// nullopt: this is no line of an audit log. `line` is without its line feed.
std::optional<LinkText> parse_link(std::string_view line) noexcept;

/// The value of a member as it stands, escapes and all, quotes left out; empty: there is none.
std::string_view member(std::string_view line, std::string_view key) noexcept;
/// The same as a number.
std::optional<uint64_t> number_member(std::string_view line, std::string_view key) noexcept;

/// What a checkpoint signs.
std::string checkpoint_text(std::string_view node, uint64_t seq, std::string_view hash,
                            uint64_t count, std::string_view time);

}  // namespace hangu::audit

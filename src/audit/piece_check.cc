#include "audit/piece_check.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "hangu/audit/parallel_pieces.h"
#include "hangu/base/hex.h"

namespace hangu::audit {
namespace {

constexpr std::array kMarked = {
    Event::kLogOpened,      Event::kLogDeleted,     Event::kLogLost,        Event::kCheckpoint,
    Event::kProcessStarted, Event::kProcessStopped, Event::kProcessUpgraded};

bool is_marked(std::string_view event) {
  return std::any_of(kMarked.begin(), kMarked.end(),
                     [event](Event each) { return event == to_string(each); });
}

class Checker {
 public:
  Checker(DigestKind kind, const ShippedHashes& shipped)
      : digester_(kind),
        shipped_(shipped) {}

  void take(std::string_view line) {
    ++check_.lines;
    check_.bytes += line.size() + 1;
    const auto link = parse_link(line);
    if (!link) {
      find(0, "no_record", "this line is no record of an audit log");
      return;
    }
    check_hash(*link);
    if (check_.any) {
      PieceFinding broken = check_link(check_.last_seq, check_.last_hash, link->seq, link->prev);
      if (!broken.kind.empty()) {
        broken.line = check_.lines;
        check_.findings.push_back(std::move(broken));
      }
    } else {
      check_.any = true;
      check_.first_seq = link->seq;
      check_.first_line = check_.lines;
      check_.first_prev = link->prev;
    }
    check_.last_seq = link->seq;
    check_.last_hash = link->hash;
    last_ = line;
    const std::string_view event = member(line, "event");
    if (event == to_string(Event::kCheckpoint)) {
      check_.any_checkpoint = true;
      check_.unsigned_since.clear();
    } else if (check_.unsigned_since.empty()) {
      check_.unsigned_since = member(line, "ts");
    }
    if (is_marked(event)) {
      check_.marks.push_back({check_.lines, std::string(line)});
    }
  }

  PieceCheck finish() {
    check_.last_time = member(last_, "ts");
    return std::move(check_);
  }

 private:
  void find(uint64_t seq, std::string_view kind, std::string text) {
    check_.findings.push_back({check_.lines, seq, std::string(kind), std::move(text)});
  }

  void check_hash(const LinkText& link) {
    std::array<char, kHashDigits> digits;
    put_hex(digits.data(), digester_(link.hashed));
    if (link.hash != std::string_view(digits.data(), digits.size())) {
      find(link.seq, "changed", "the record was changed: its hash is not that of its text");
    }
    if (shipped_.empty()) {
      return;
    }
    if (const auto found = shipped_.find(link.seq); found != shipped_.end()) {
      ++check_.shipped_compared;
      if (found->second != link.hash) {
        find(link.seq, "forged",
             "the record is not the one of which a checkpoint was shipped: the log was written "
             "anew up to here at least");
      }
    }
  }

  tls::Digester digester_;
  const ShippedHashes& shipped_;
  PieceCheck check_;
  std::string_view last_;
};

}  // namespace

PieceFinding check_link(uint64_t seq, std::string_view hash, uint64_t next_seq,
                        std::string_view next_prev) {
  if (next_seq == seq + 1) {
    return next_prev == hash
               ? PieceFinding{}
               : PieceFinding{.seq = next_seq,
                              .kind = "broken",
                              .text = fmt::format("the record does not follow record {}: one of "
                                                  "the two was replaced",
                                                  seq)};
  }
  if (next_seq > seq) {
    const uint64_t count = next_seq - seq - 1;
    return {.seq = seq + 1,
            .kind = "missing",
            .text = count == 1
                        ? fmt::format("record {} is missing", seq + 1)
                        : fmt::format("records {} to {} are missing", seq + 1, next_seq - 1)};
  }
  return {.seq = next_seq,
          .kind = next_seq == seq ? "repeated" : "reordered",
          .text = fmt::format("record {} stands behind record {}", next_seq, seq)};
}

PieceCheck check_piece(std::string_view piece, DigestKind kind, const ShippedHashes& shipped) {
  Checker checker(kind, shipped);
  for_each_line(piece, [&](std::string_view line) { checker.take(line); });
  return checker.finish();
}

}  // namespace hangu::audit

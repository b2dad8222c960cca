#include "hangu/audit/verify.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "hangu/audit/archive.h"
#include "hangu/audit/log_reader.h"
#include "hangu/audit/log_tail.h"
#include "hangu/audit/parallel_pieces.h"
#include "hangu/base/parse.h"
#include "hangu/tls/signature.h"

#include "audit/piece_check.h"

namespace hangu::audit {
namespace {

constexpr auto kLate = std::chrono::seconds(10);  // beyond twice the interval of checkpoints

struct Checkpoint {
  std::string node;
  uint64_t seq = 0;
  std::string hash;
  uint64_t count = 0;
  std::string time;
  std::string signature;
};

std::optional<Checkpoint> parse_checkpoint(std::string_view line) {
  const auto seq = number_member(line, key_of(Number::kLastSeq));
  const auto count = number_member(line, key_of(Number::kAmount));
  Checkpoint checkpoint{.node = std::string(member(line, "node")),
                        .seq = seq.value_or(0),
                        .hash = std::string(member(line, key_of(Text::kObject))),
                        .count = count.value_or(0),
                        .time = std::string(member(line, "ts")),
                        .signature = std::string(member(line, key_of(Text::kSignature)))};
  const bool whole = seq && count && checkpoint.hash.size() == kHashDigits;
  return whole ? std::optional(std::move(checkpoint)) : std::nullopt;
}

bool is_signed_by(const Checkpoint& checkpoint, const tls::VerifyingKey& key) {
  return key.verify(checkpoint_text(checkpoint.node, checkpoint.seq, checkpoint.hash,
                                    checkpoint.count, checkpoint.time),
                    checkpoint.signature);
}

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::vector<uint64_t> files_now(const std::string& path) {
  std::vector<uint64_t> files;
  for (const ArchivedFile& file : archived_files(path)) {
    files.push_back(file.first_seq * 2 + (file.packed ? 1 : 0));
  }
  return files;
}

uint64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

/// "2026-11-26T22:00:00.000000Z", as the log writes it; 0 for what is none.
Duration time_of(std::string_view text) {
  constexpr size_t kBytes = 27;
  if (text.size() != kBytes) {
    return {};
  }
  const auto number = [text](size_t at, size_t digits) {
    return static_cast<int>(parse_decimal(text.substr(at, digits)).value_or(0));
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  return std::chrono::sys_days(day).time_since_epoch() + std::chrono::hours(number(11, 2)) +
         std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2)) +
         std::chrono::microseconds(number(20, 6));
}

/// What a run may lose by a crash, from the words of its process.start.
std::string loss_under(std::string_view start) {
  const std::string_view fsync = member(start, key_of(Text::kFsync));
  const std::string_view batch = member(start, key_of(Number::kBatchMs));
  std::string text = fmt::format(
      "if the process was killed, records of its last {} ms or so, and what waited for a slow "
      "disk, may be missing",
      batch);
  if (fsync == "interval") {
    text += fmt::format("; if the machine went down, those of {} ms more (fsync: interval)",
                        member(start, key_of(Number::kFsyncMs)));
  } else if (fsync == "batch") {
    text += "; no more if the machine went down (fsync: batch)";
  } else {
    text += "; if the machine went down, all that the kernel had not written yet (fsync: never)";
  }
  return text;
}

class Verifier {
 public:
  explicit Verifier(const VerifyOptions& options)
      : options_(options) {}

  Result<Verification, std::string> run();

 private:
  Result<void, std::string> load_key();
  Result<void, std::string> load_shipped();
  Result<void, std::string> check_file(const std::string& path);
  void take_piece(PieceCheck piece);
  void take_mark(const Mark& mark, uint64_t line);
  void take_start(std::string_view line, uint64_t seq);
  void take_opened(std::string_view line, uint64_t seq, uint64_t at);
  void take_checkpoint(std::string_view line, const LinkText& link, uint64_t at);
  void check_begin();
  void check_end();
  void check_shipped_end();
  void check_unsigned_end();
  void find(uint64_t line, uint64_t seq, std::string_view kind, std::string text);
  void note(uint64_t seq, std::string_view kind, std::string text);

  const VerifyOptions& options_;
  Verification out_;
  std::optional<tls::VerifyingKey> key_;
  ShippedHashes shipped_;
  uint64_t shipped_last_ = 0;
  std::string file_;
  uint64_t lines_ = 0;  // of the file, before the piece
  std::string last_hash_;
  std::string last_time_;
  std::string first_prev_;
  uint64_t end_seq_ = 0;  // of the last record that says that a run ended
  std::string start_;     // the last process.start
  std::string rest_;      // of the file before: no line feed
  std::string rest_file_;
  uint64_t rest_line_ = 0;
  std::set<uint64_t> deleted_;  // last records of files that retention removed
  std::string unsigned_since_;  // time of the first record behind the last checkpoint
  uint64_t bytes_done_ = 0;
  uint64_t bytes_all_ = 0;
};

void Verifier::find(uint64_t line, uint64_t seq, std::string_view kind, std::string text) {
  ++out_.findings_total;
  if (out_.findings.size() < kFindingsMax) {
    out_.findings.push_back({file_, line, seq, std::string(kind), std::move(text)});
  }
}

void Verifier::note(uint64_t seq, std::string_view kind, std::string text) {
  if (out_.notes.size() < kNotesMax) {
    out_.notes.push_back({seq, std::string(kind), std::move(text)});
  }
}

Result<void, std::string> Verifier::load_key() {
  if (options_.public_key.empty()) {
    return {};
  }
  auto key = tls::VerifyingKey::load(options_.public_key);
  if (!key) {
    return Failure<std::string>{key.error()};
  }
  key_ = std::move(*key);
  return {};
}

Result<void, std::string> Verifier::load_shipped() {
  if (options_.checkpoints.empty()) {
    return {};
  }
  auto reader = LogReader::open(options_.checkpoints);
  if (!reader) {
    return Failure<std::string>{reader.error()};
  }
  file_ = name_of(options_.checkpoints);
  uint64_t number = 0;
  while (true) {
    const auto piece = reader->next();
    if (!piece) {
      return Failure<std::string>{piece.error()};
    }
    if (piece->empty()) {
      return {};
    }
    for_each_line(*piece, [&](std::string_view line) {
      ++number;
      const auto checkpoint = parse_checkpoint(line);
      if (!checkpoint || (key_ && !is_signed_by(*checkpoint, *key_))) {
        find(number, checkpoint ? checkpoint->seq : 0, "checkpoint",
             "this shipped checkpoint was not signed with this key");
        return;
      }
      shipped_last_ = std::max(shipped_last_, checkpoint->seq);
      shipped_[checkpoint->seq] = checkpoint->hash;
    });
  }
}

Result<Verification, std::string> Verifier::run() {
  if (auto loaded = load_key(); !loaded) {
    return Failure<std::string>{loaded.error()};
  }
  if (auto loaded = load_shipped(); !loaded) {
    return Failure<std::string>{loaded.error()};
  }
  std::vector<std::string> files;
  for (const ArchivedFile& file : archived_files(options_.path)) {
    files.push_back(file.path);
  }
  std::error_code error;
  if (std::filesystem::exists(options_.path, error)) {
    files.push_back(options_.path);
  }
  if (files.empty()) {
    return Failure<std::string>{fmt::format("{}: there is no audit log", options_.path)};
  }
  for (const std::string& file : files) {
    bytes_all_ += size_of(file);
  }
  for (const std::string& file : files) {
    if (auto checked = check_file(file); !checked) {
      file_ = name_of(file);
      find(0, 0, "unreadable", checked.error());
    }
  }
  check_begin();
  check_end();
  return std::move(out_);
}

Result<void, std::string> Verifier::check_file(const std::string& path) {
  auto reader = LogReader::open(path);
  if (!reader) {
    return Failure<std::string>{reader.error()};
  }
  file_ = name_of(path);
  lines_ = 0;
  ++out_.files;
  DigestKind kind = DigestKind::kSha256;
  {
    auto first = LogReader::open(path);
    const auto piece = first ? first->next() : Failure<std::string>{first.error()};
    if (!piece) {
      return Failure<std::string>{piece.error()};
    }
    const std::string_view line = std::string_view(*piece).substr(0, piece->find('\n'));
    const auto named = digest_kind(member(line, key_of(Text::kChain)));
    if (!piece->empty() && (!named || member(line, "event") != to_string(Event::kLogOpened))) {
      find(1, 0, "missing", "the file does not begin with the record that opened it");
    }
    kind = named.value_or(kind);
  }
  ReaderPieces source(std::move(*reader));
  ParallelPieces<PieceCheck> pieces(source, options_.threads);
  auto done = pieces.run([&](std::string_view piece) { return check_piece(piece, kind, shipped_); },
                         [&](PieceCheck&& piece, uint64_t bytes_read) {
                           take_piece(std::move(piece));
                           if (options_.on_progress) {
                             options_.on_progress(bytes_done_ + bytes_read, bytes_all_);
                           }
                           return true;
                         });
  bytes_done_ += source.reader().bytes_read();
  rest_ = source.reader().rest();
  rest_file_ = file_;
  rest_line_ = lines_ + 1;
  return done;
}

void Verifier::take_piece(PieceCheck piece) {
  if (piece.any && out_.records + out_.last_seq == 0) {
    out_.first_seq = piece.first_seq;
    first_prev_ = piece.first_prev;
  } else if (piece.any) {
    const PieceFinding broken =
        check_link(out_.last_seq, last_hash_, piece.first_seq, piece.first_prev);
    if (!broken.kind.empty()) {
      find(lines_ + piece.first_line, broken.seq, broken.kind, broken.text);
    }
  }
  for (PieceFinding& each : piece.findings) {
    find(lines_ + each.line, each.seq, each.kind, std::move(each.text));
  }
  for (const Mark& mark : piece.marks) {
    take_mark(mark, lines_ + mark.line);
  }
  if (piece.any) {
    out_.last_seq = piece.last_seq;
    last_hash_ = piece.last_hash;
    last_time_ = piece.last_time;
    if (piece.any_checkpoint || unsigned_since_.empty()) {
      unsigned_since_ = piece.unsigned_since;
    }
  }
  lines_ += piece.lines;
  out_.records += piece.lines;
  out_.bytes += piece.bytes;
  out_.checkpoints_shipped += piece.shipped_compared;
}

void Verifier::take_mark(const Mark& mark, uint64_t line) {
  const auto link = parse_link(mark.text);
  const std::string_view event = member(mark.text, "event");
  const std::string_view stopped = to_string(Event::kProcessStopped);
  if (event == stopped || member(mark.text, key_of(Text::kReason)) == stopped ||
      ends_a_handover(mark.text)) {
    end_seq_ = link->seq;
  }
  if (event == to_string(Event::kCheckpoint)) {
    take_checkpoint(mark.text, *link, line);
  } else if (event == to_string(Event::kLogLost)) {
    const uint64_t count = number_member(mark.text, key_of(Number::kAmount)).value_or(0);
    out_.lost += count;
    note(link->seq, "lost",
         count != 0 ? fmt::format("{} records found no room and were left out before {}", count,
                                  member(mark.text, "ts"))
                    : fmt::format("records may be missing before {}: {}", member(mark.text, "ts"),
                                  member(mark.text, key_of(Text::kReason))));
  } else if (event == to_string(Event::kLogDeleted)) {
    deleted_.insert(number_member(mark.text, key_of(Number::kLastSeq)).value_or(0));
  } else if (event == to_string(Event::kLogOpened)) {
    take_opened(mark.text, link->seq, line);
  } else if (event == to_string(Event::kProcessStarted)) {
    take_start(mark.text, link->seq);
  }
}

void Verifier::take_start(std::string_view line, uint64_t seq) {
  ++out_.runs;
  if (member(line, key_of(Text::kReason)) == kUncleanEnd) {
    ++out_.unclean_ends;
    note(seq, "unclean_end",
         fmt::format("the run before this start ({}) did not say that it ended: {}",
                     member(line, "ts"), loss_under(start_)));
  }
  start_ = line;
}

/// The unfinished line at the end of the file before must be known to the process that went on.
void Verifier::take_opened(std::string_view line, uint64_t seq, uint64_t at) {
  const uint64_t torn = number_member(line, key_of(Number::kTornBytes)).value_or(0);
  if (torn != rest_.size()) {
    find(at, seq, "torn",
         fmt::format("{} ends with {} bytes of an unfinished line, but the process found {}",
                     rest_file_, rest_.size(), torn));
  } else if (torn != 0) {
    note(seq, "torn",
         fmt::format("{}:{}: the process was ended while it wrote this line, of which {} bytes are "
                     "there",
                     rest_file_, rest_line_, torn));
  }
  rest_.clear();
}

void Verifier::take_checkpoint(std::string_view line, const LinkText& link, uint64_t at) {
  const auto checkpoint = parse_checkpoint(line);
  ++out_.checkpoints;
  if (!checkpoint || checkpoint->seq + 1 != link.seq || checkpoint->hash != link.prev) {
    find(at, link.seq, "checkpoint", "the checkpoint does not belong here");
    return;
  }
  if (key_ && !is_signed_by(*checkpoint, *key_)) {
    find(at, link.seq, "checkpoint", "the checkpoint was not signed with this key");
    return;
  }
  out_.last_signed_seq = link.seq;
}

void Verifier::check_begin() {
  const bool unread = !out_.findings.empty() && out_.findings.front().kind == "unreadable";
  if (out_.first_seq > 1 && !unread && !deleted_.contains(out_.first_seq - 1)) {
    out_.findings_total++;
    out_.findings.insert(
        out_.findings.begin(),
        Finding{
            name_of(options_.path), 0, out_.first_seq - 1, "missing",
            fmt::format("the log begins with record {}, and no record says that retention removed "
                        "what was before",
                        out_.first_seq)});
  }
  if (!first_prev_.empty() && out_.first_seq == 1 && first_prev_ != std::string(kHashDigits, '0')) {
    find(1, 1, "broken", "the first record refers to one before it");
  }
}

void Verifier::check_end() {
  file_ = rest_file_;
  if (!rest_.empty()) {
    note(out_.last_seq + 1, "unfinished",
         fmt::format("{}:{}: the last line is not complete: it is being written, or the process "
                     "was ended at it, or somebody cut the file off",
                     rest_file_, rest_line_));
  }
  check_shipped_end();
  check_unsigned_end();
  if (end_seq_ != out_.last_seq || out_.last_seq == 0) {
    note(out_.last_seq, "open_end",
         fmt::format("the log does not end with the end of the process: it is running, or it ended "
                     "without a word after {}: {}",
                     last_time_, loss_under(start_)));
  }
}

void Verifier::check_shipped_end() {
  if (shipped_last_ > out_.last_seq) {
    find(0, out_.last_seq + 1, "cut_off",
         fmt::format("the log ends with record {}, but a checkpoint of record {} was shipped: at "
                     "least {} records are cut off",
                     out_.last_seq, shipped_last_, shipped_last_ - out_.last_seq));
  }
  if (!options_.checkpoints.empty() && shipped_.empty()) {
    note(0, "no_shipped", "there is no usable checkpoint in the file of shipped ones");
  }
}

void Verifier::check_unsigned_end() {
  if (!key_) {
    note(0, "unsigned",
         out_.checkpoints == 0
             ? "there are no checkpoints: whoever may write the files can make the "
               "whole chain anew"
             : "signatures were not checked: no public key was given");
    return;
  }
  const uint64_t limit = number_member(start_, key_of(Number::kCheckpointRecords)).value_or(0);
  const uint64_t limit_ms = number_member(start_, key_of(Number::kCheckpointMs)).value_or(0);
  const uint64_t open = out_.last_seq - std::min(out_.last_seq, out_.last_signed_seq);
  const Duration waited = time_of(last_time_) - time_of(unsigned_since_);
  const bool ended = end_seq_ == out_.last_seq;  // the process leaves nothing unsigned then
  const bool late = open > 2 * limit || waited > std::chrono::milliseconds(2 * limit_ms) + kLate;
  if (open > 0 && (ended || late)) {
    find(0, out_.last_signed_seq + 1, "unsigned",
         fmt::format("the last {} records have no signed checkpoint, which the process makes "
                     "every {} records or {} ms, and at its end",
                     open, limit, limit_ms));
  } else if (open > 0) {
    note(out_.last_signed_seq + 1, "unsigned",
         fmt::format("the last {} records came after the last signed checkpoint (record {}): the "
                     "chain alone vouches for them",
                     open, out_.last_signed_seq));
  }
}

}  // namespace

Result<Verification, std::string> verify(const VerifyOptions& options) {
  // A running process may complete a file meanwhile: then what was seen is of two moments.
  constexpr int kTriesMax = 3;
  for (int i = 1;; ++i) {
    const std::vector<uint64_t> before = files_now(options.path);
    auto done = Verifier(options).run();
    if (i == kTriesMax || !done || done->good() || before == files_now(options.path)) {
      return done;
    }
  }
}

}  // namespace hangu::audit

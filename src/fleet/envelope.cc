#include "hangu/fleet/envelope.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "hangu/base/parse.h"

namespace hangu::fleet {
namespace {

constexpr std::string_view kHeader = "#hangu 1 ";
constexpr std::string_view kSignature = "#hangu-signature ";
constexpr size_t kSignaturesMax = 16;
constexpr uint64_t kSequenceMax = uint64_t{1} << 62;
constexpr size_t kAuthorBytesMax = 64;

std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view take_word(std::string_view& line) {
  const size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

std::string header_line(const Envelope& envelope) {
  return fmt::format("{}sequence={} author={} time={}{}", kHeader, envelope.sequence,
                     envelope.author, envelope.time, envelope.deleted ? " deleted" : "");
}

bool read_header(std::string_view line, Envelope& envelope) {
  line.remove_prefix(kHeader.size());
  while (!line.empty()) {
    const std::string_view word = take_word(line);
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    if (name == "sequence") {
      envelope.sequence = parse_decimal(value, kSequenceMax).value_or(0);
    } else if (name == "author") {
      envelope.author = value;
    } else if (name == "time") {
      envelope.time = value;
    } else if (word == "deleted") {
      envelope.deleted = true;
    } else {
      return false;
    }
  }
  return envelope.sequence != 0 && is_author(envelope.author) && !envelope.time.empty();
}

}  // namespace

bool is_author(std::string_view text) {
  return !text.empty() && text.size() <= kAuthorBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != 0x7f; });
}

Result<Envelope, std::string> read_envelope(std::string_view text) {
  Envelope envelope;
  if (!text.starts_with(kHeader)) {
    envelope.body = text;
    return envelope;
  }
  const std::string_view header = take_line(text);
  // Signatures are of the line as we write it.
  if (!read_header(header, envelope) || header != header_line(envelope)) {
    return Failure<std::string>{"the line `#hangu 1 ...` is not as hangu writes it"};
  }
  while (text.starts_with(kSignature)) {
    std::string_view line = take_line(text);
    line.remove_prefix(kSignature.size());
    const std::string_view id = take_word(line);
    if (envelope.signatures.size() == kSignaturesMax) {
      return Failure<std::string>{fmt::format("more than {} signatures", kSignaturesMax)};
    }
    envelope.signatures.push_back({std::string(id), std::string(line)});
  }
  envelope.body = text;
  return envelope;
}

std::optional<std::string> body_of(const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  const auto envelope = read_envelope(*text);
  if (!envelope) {
    return *text;
  }
  return envelope->deleted ? std::nullopt : std::optional(envelope->body);
}

std::string to_text(const Envelope& envelope) {
  if (envelope.sequence == 0) {
    return envelope.body;
  }
  std::string out = header_line(envelope) + '\n';
  for (const Signature& each : envelope.signatures) {
    out += fmt::format("{}{} {}\n", kSignature, each.key_id, each.digits);
  }
  return out + envelope.body;
}

std::string signed_text(std::string_view key, const Envelope& envelope) {
  return fmt::format("{}\n{}\n{}", key, header_line(envelope), envelope.body);
}

void sign(Envelope& envelope, std::string_view key, const tls::SigningKey& with) {
  std::erase_if(envelope.signatures,
                [&with](const Signature& each) { return each.key_id == with.id(); });
  envelope.signatures.push_back({with.id(), with.sign(signed_text(key, envelope))});
}

Result<Trust, std::string> Trust::load(const std::vector<std::string>& paths, uint32_t approvals) {
  Trust trust;
  trust.approvals_ = approvals;
  std::set<std::string> ids;
  for (const std::string& path : paths) {
    auto key = tls::VerifyingKey::load(path);
    if (!key) {
      return Failure<std::string>{key.error()};
    }
    if (ids.insert(key->id()).second) {
      trust.keys_.push_back(std::move(*key));
    }
  }
  if (!paths.empty() && trust.keys_.size() < approvals) {
    return Failure<std::string>{fmt::format(
        "{} approvals need as many different keys, there are {}", approvals, trust.keys_.size())};
  }
  return trust;
}

std::string Trust::refusal(std::string_view key, const Envelope& envelope) const {
  if (keys_.empty()) {
    return "";
  }
  if (envelope.signatures.empty()) {
    return "it is not signed";
  }
  const std::string text = signed_text(key, envelope);
  std::set<std::string_view> approved;
  bool known = false;
  for (const Signature& each : envelope.signatures) {
    const auto found = std::find_if(keys_.begin(), keys_.end(), [&each](const auto& trusted) {
      return trusted.id() == each.key_id;
    });
    if (found == keys_.end()) {
      continue;
    }
    known = true;
    if (!found->verify(text, each.digits)) {
      return fmt::format("the signature by key {} is not of this text", each.key_id);
    }
    approved.insert(found->id());
  }
  if (!known) {
    return fmt::format("it is signed by key {}, which is not trusted",
                       envelope.signatures.front().key_id);
  }
  return approved.size() >= approvals_
             ? ""
             : fmt::format("it has {} of {} approvals", approved.size(), approvals_);
}

}  // namespace hangu::fleet

#include "hangu/audit/relay.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "hangu/base/log.h"

namespace hangu::audit {
namespace {

constexpr size_t kRecordBytesMax = 64 * 1024;
constexpr size_t kReadBytes = 256 * 1024;

enum class Kind : uint8_t { kText = 'T', kNumber = 'N' };

template <class T>
void put(const T& value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string_view text, std::string& out) {
  put(static_cast<uint16_t>(text.size()), out);
  out += text;
}

/// Reads on from what is left of a record.
class Fields {
 public:
  explicit Fields(std::string_view bytes)
      : left_(bytes) {}

  bool empty() const { return left_.empty(); }

  bool good() const { return good_; }

  template <class T>
  T number() {
    T value{};
    const std::string_view bytes = take(sizeof value);
    if (good_) {
      std::copy_n(bytes.data(), sizeof value, reinterpret_cast<char*>(&value));
    }
    return value;
  }

  std::string_view text() { return take(number<uint16_t>()); }

 private:
  std::string_view take(size_t bytes) {
    good_ = good_ && bytes <= left_.size();
    const std::string_view taken = left_.substr(0, good_ ? bytes : 0);
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view left_;
  bool good_ = true;
};

/// Of the whole record that begins there.
size_t relayed_size(std::string_view bytes, size_t at) {
  uint32_t size = 0;
  std::copy_n(bytes.data() + at, sizeof size, reinterpret_cast<char*>(&size));
  return size;
}

/// The enumerator of that name.
template <class T, class NameOf>
std::optional<T> named(std::string_view name, NameOf name_of) {
  for (size_t i = 0; i < static_cast<size_t>(T::kCount); ++i) {
    if (name_of(static_cast<T>(i)) == name) {
      return static_cast<T>(i);
    }
  }
  return std::nullopt;
}

void read_field(Fields& fields, Record& record) {
  const auto kind = static_cast<Kind>(fields.number<uint8_t>());
  const std::string_view name = fields.text();
  if (kind == Kind::kText) {
    const std::string_view value = fields.text();
    if (const auto key = named<Text>(name, [](Text each) { return key_of(each); })) {
      record.set(*key, value);
    }
  } else {
    const auto value = fields.number<uint64_t>();
    if (const auto key = named<Number>(name, [](Number each) { return key_of(each); })) {
      record.set(*key, value);
    }
  }
}

}  // namespace

void append_relayed(const Record& record, std::string& out) {
  const size_t begin = out.size();
  put(uint32_t{0}, out);
  put_text(to_string(record.event), out);
  put(static_cast<uint8_t>(record.outcome), out);
  put(int64_t{record.time.time_since_epoch().count()}, out);
  put(record.generation, out);
  for (size_t i = 0; i < kNumbers; ++i) {
    const auto key = static_cast<Number>(i);
    if (record.has(key)) {
      put(Kind::kNumber, out);
      put_text(key_of(key), out);
      put(record.number(key), out);
    }
  }
  for (size_t i = 0; i < kTexts; ++i) {
    const auto key = static_cast<Text>(i);
    if (!record.text(key).empty()) {
      put(Kind::kText, out);
      put_text(key_of(key), out);
      put_text(record.text(key), out);
    }
  }
  const auto size = static_cast<uint32_t>(out.size() - begin);
  std::copy_n(reinterpret_cast<const char*>(&size), sizeof size, out.data() + begin);
}

size_t read_relayed(std::string_view bytes, Record& record) {
  uint32_t size = 0;
  if (bytes.size() < sizeof size) {
    return 0;
  }
  std::copy_n(bytes.data(), sizeof size, reinterpret_cast<char*>(&size));
  if (size < sizeof size || size > bytes.size()) {
    return 0;
  }
  Fields fields(bytes.substr(sizeof size, size - sizeof size));
  record = Record();
  const auto event = named<Event>(fields.text(), [](Event each) { return to_string(each); });
  record.event = event.value_or(Event::kRequest);
  record.outcome = static_cast<Outcome>(
      std::min(fields.number<uint8_t>(), static_cast<uint8_t>(Outcome::kFailed)));
  record.time = WallTime(std::chrono::nanoseconds(fields.number<int64_t>()));
  record.generation = fields.number<uint64_t>();
  while (fields.good() && !fields.empty()) {
    read_field(fields, record);
  }
  return size;
}

RelayWriter::RelayWriter(int socket)
    : socket_(socket) {}

RelayWriter::~RelayWriter() {
  ::close(socket_);
}

bool RelayWriter::send() {
  size_t sent = sent_;
  bool good = true;
  while (sent < out_.size()) {
    const ssize_t now =
        ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (now < 0 && errno == EINTR) {
      continue;
    }
    if (now <= 0) {
      good = errno == EAGAIN || errno == ENOBUFS;
      break;
    }
    sent += static_cast<size_t>(now);
  }
  size_t whole = 0;
  while (whole < sent && whole + relayed_size(out_, whole) <= sent) {
    whole += relayed_size(out_, whole);
  }
  out_.erase(0, whole);
  sent_ = sent - whole;
  return good;
}

size_t RelayWriter::take_unsent(const std::function<void(const Record&)>& take) {
  const std::string unsent = std::exchange(out_, {});
  sent_ = 0;
  size_t count = 0;
  Record record;
  size_t at = 0;
  while (const size_t size = read_relayed(std::string_view(unsent).substr(at), record)) {
    take(record);
    at += size;
    ++count;
  }
  return count;
}

RelayReader::RelayReader(int socket)
    : socket_(socket) {}

RelayReader::RelayReader(RelayReader&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      finished_(other.finished_),
      in_(std::move(other.in_)) {}

RelayReader& RelayReader::operator=(RelayReader&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(finished_, other.finished_);
  std::swap(in_, other.in_);
  return *this;
}

RelayReader::~RelayReader() {
  if (socket_ >= 0) {
    ::close(socket_);
  }
}

RelayReader::State RelayReader::read(const std::function<void(const Record&)>& take) {
  const size_t before = in_.size();
  in_.resize(before + kReadBytes);
  const ssize_t got = ::recv(socket_, in_.data() + before, kReadBytes, MSG_DONTWAIT);
  const int error = got < 0 ? errno : 0;
  in_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  size_t taken = 0;
  Record record;
  while (const size_t size = read_relayed(std::string_view(in_).substr(taken), record)) {
    take(record);
    finished_ = record.event == Event::kProcessUpgraded && record.text(Text::kReason) == kDrained;
    taken += size;
  }
  in_.erase(0, taken);
  if (in_.size() > kRecordBytesMax) {
    log::error("event=audit_relay_broken bytes={}", in_.size());
    return State::kEnded;
  }
  if (got > 0) {
    return State::kMore;
  }
  return error == EAGAIN || error == EINTR ? State::kQuiet : State::kEnded;
}

}  // namespace hangu::audit

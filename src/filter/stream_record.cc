#include "hangu/filter/stream_record.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include <boost/pfr/core.hpp>

#include "hangu/filter/concurrency_limit_filter.h"
#include "hangu/filter/rate_limit.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

// Three passes visit the same members in the same order: they count the bytes, write and read them.
// The members are found by reflection, so that none can be forgotten: a view is kept as its text,
// a struct member by member, and what may not simply be copied does not compile.

template <class T>
struct IsTime : std::false_type {};

template <class Clock, class Length>
struct IsTime<std::chrono::time_point<Clock, Length>> : std::true_type {};

/// Refers to nothing in the stream's arena. A pointer is listed if the snapshot keeps what it
/// points to, a class if it holds its bytes itself.
template <class T>
inline constexpr bool kPlain =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || IsTime<T>::value ||
    std::is_same_v<T, const RateLimit*> || std::is_same_v<T, http::Base64Decoder>;

/// Sizes take a byte for each seven bits: nearly all of them are small.
constexpr uint32_t kMoreBit = 0x80;

class Counter {
 public:
  template <class T>
  void plain(const T&) {
    bytes_ += sizeof(T);
  }

  void number(uint32_t number) {
    for (++bytes_; number >= kMoreBit; number >>= 7) {
      ++bytes_;
    }
  }

  void text(std::string_view text) {
    number(static_cast<uint32_t>(text.size()));
    bytes_ += text.size();
  }

  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

class Writer {
 public:
  explicit Writer(char* out)
      : out_(out) {}

  template <class T>
  void plain(const T& value) {
    const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
    out_ = std::copy(bytes.begin(), bytes.end(), out_);
  }

  void number(uint32_t number) {
    for (; number >= kMoreBit; number >>= 7) {
      plain(static_cast<uint8_t>(number | kMoreBit));
    }
    plain(static_cast<uint8_t>(number));
  }

  void text(std::string_view text) {
    number(static_cast<uint32_t>(text.size()));
    out_ = std::copy(text.begin(), text.end(), out_);
  }

 private:
  char* out_;
};

/// Its texts are views of the record, lists of them are in the arena.
class Reader {
 public:
  Reader(const char* in, buffer::Arena& arena)
      : in_(in),
        arena_(arena) {}

  template <class T>
  void plain(T& value) {
    std::array<char, sizeof(T)> bytes;
    std::copy_n(in_, bytes.size(), bytes.begin());
    value = std::bit_cast<T>(bytes);
    in_ += bytes.size();
  }

  uint32_t number() {
    uint32_t number = 0;
    uint8_t byte = kMoreBit;
    for (unsigned shift = 0; (byte & kMoreBit) != 0; shift += 7) {
      plain(byte);
      number |= (byte & (kMoreBit - 1)) << shift;
    }
    return number;
  }

  void text(std::string_view& text) {
    const uint32_t size = number();
    text = {in_, size};
    in_ += size;
  }

  std::span<const std::string_view> texts(size_t count) {
    auto* const first = reinterpret_cast<std::string_view*>(
        arena_.allocate(count * sizeof(std::string_view), alignof(std::string_view)));
    for (size_t i = 0; i < count; ++i) {
      text(*std::construct_at(first + i));
    }
    return {first, count};
  }

  const HeldPlaces* places(size_t count) {
    auto* const place =
        reinterpret_cast<HeldPlaces*>(arena_.allocate(sizeof(HeldPlaces), alignof(HeldPlaces)));
    HeldPlaces* const held = std::construct_at(place);
    held->count = count;
    for (size_t i = 0; i < count; ++i) {
      plain(held->places[i]);
    }
    return held;
  }

  RateLimitRound* round(size_t count) {
    auto* const first = reinterpret_cast<RateVerdict*>(
        arena_.allocate(count * sizeof(RateVerdict), alignof(RateVerdict)));
    for (size_t i = 0; i < count; ++i) {
      plain(*std::construct_at(first + i));
    }
    auto* const place = reinterpret_cast<RateLimitRound*>(
        arena_.allocate(sizeof(RateLimitRound), alignof(RateLimitRound)));
    return std::construct_at(place, RateLimitRound{.verdicts = {first, count}});
  }

 private:
  const char* in_;
  buffer::Arena& arena_;
};

/// Names that the gateway knows come back in lower case.
template <class Sink>
void visit_fields(const http::HeaderBlock& headers, Sink& sink) {
  sink.number(static_cast<uint32_t>(headers.size()));
  for (const http::Header& header : headers) {
    sink.plain(header.token);
    if (header.token == http::HeaderName::kOther) {
      sink.text(header.name());
    }
    sink.text(header.value());
  }
}

void visit_fields(http::HeaderBlock& headers, Reader& reader) {
  for (uint32_t count = reader.number(); count != 0; --count) {
    http::HeaderName token{};
    reader.plain(token);
    std::string_view name = http::to_string(token);
    if (token == http::HeaderName::kOther) {
      reader.text(name);
    }
    std::string_view value;
    reader.text(value);
    static_cast<void>(headers.add(token, name, value));
  }
}

/// Their names are the route's.
template <class Sink>
void visit_captures(const policy::Captures& captures, Sink& sink) {
  sink.plain(captures.names);
  sink.number(static_cast<uint32_t>(captures.values.size()));
  for (const std::string_view value : captures.values) {
    sink.text(value);
  }
}

void visit_captures(policy::Captures& captures, Reader& reader) {
  reader.plain(captures.names);
  captures.values = reader.texts(reader.number());
}

/// What rate limits have still to count.
template <class Sink>
void visit_round(const RateLimitRound* round, Sink& sink) {
  const auto verdicts = round != nullptr ? round->verdicts : std::span<RateVerdict>();
  sink.number(static_cast<uint32_t>(verdicts.size()));
  for (const RateVerdict& verdict : verdicts) {
    sink.plain(verdict);
  }
}

void visit_round(RateLimitRound*& round, Reader& reader) {
  const uint32_t count = reader.number();
  round = count != 0 ? reader.round(count) : nullptr;
}

/// What the stream gives back to concurrency limits at its end.
template <class Sink>
void visit_places(const HeldPlaces* held, Sink& sink) {
  const size_t count = held != nullptr ? held->count : 0;
  sink.number(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; ++i) {
    sink.plain(held->places[i]);
  }
}

void visit_places(const HeldPlaces*& held, Reader& reader) {
  const uint32_t count = reader.number();
  held = count != 0 ? reader.places(count) : nullptr;
}

template <class Facts, class Sink>
void visit_members(Facts& facts, Sink& sink) {
  boost::pfr::for_each_field(facts, [&sink](auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, std::string_view>) {
      sink.text(member);
    } else if constexpr (std::is_same_v<Member, http::HeaderBlock>) {
      visit_fields(member, sink);
    } else if constexpr (std::is_same_v<Member, policy::Captures>) {
      visit_captures(member, sink);
    } else if constexpr (std::is_same_v<Member, RateLimitRound*>) {
      visit_round(member, sink);
    } else if constexpr (std::is_same_v<Member, const HeldPlaces*>) {
      visit_places(member, sink);
    } else if constexpr (std::is_same_v<Member, const Claims*>) {
      // Not kept: they are for filters of the request.
    } else if constexpr (kPlain<Member>) {
      sink.plain(member);
    } else {
      static_assert(std::is_aggregate_v<Member>, "add how this fact is kept, see kPlain");
      visit_members(member, sink);
    }
  });
}

template <class Source, class Sink>
void visit(Source& stream, bool heads, Sink& sink) {
  visit_members(stream.info, sink);
  if (heads) {
    visit_members(stream.request, sink);
    visit_members(stream.response, sink);
  }
}

}  // namespace

StreamRecord::StreamRecord(Stream& stream)
    : shard_(stream.shard()),
      snapshot_(stream.snapshot_ref()),
      listener_(stream.listener()),
      route_(stream.route()),
      observed_(stream.end_observed()) {
  Counter counter;
  visit(stream, observed_, counter);
  bytes_ = std::make_unique_for_overwrite<char[]>(counter.bytes());
  Writer writer(bytes_.get());
  visit(stream, observed_, writer);
  stream.retire();
}

void StreamRecord::restore(Stream& stream) const {
  Reader reader(bytes_.get(), stream.arena());
  visit(stream, observed_, reader);
}

}  // namespace hangu::filter

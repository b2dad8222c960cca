// Decodes a whole HTTP/1 connection from pieces: one message after the other, as a session does.
// What it saw is kept as text, so that two ways of cutting the same bytes can be compared. Tests
// only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "hangu/base/assert.h"
#include "hangu/codec/http1/body_decoder.h"
#include "hangu/codec/http1/head_reader.h"
#include "hangu/codec/http1/serialiser.h"
#include "hangu/http/message.h"

#include "tests/fuzz/support.h"

namespace hangu::fuzz {

inline std::string describe(const http::HeaderBlock& headers) {
  std::string text;
  size_t count = 0;
  for (const http::Header& header : headers) {
    text.append(header.name()).append(": ").append(header.value()).append("\n");
    ++count;
  }
  HANGU_ASSERT(count == headers.size());
  return text;
}

inline std::string describe(const Error& error) {
  return std::string("error ") + to_string(error.code) + ": " + error.detail + "\n";
}

/// Message: how to parse, name and check one kind of message:
///   static constexpr kKind, kSide; Head; Context (given to parse);
///   static Result<void> parse(std::string_view head, const Context&, Head&);
///   static bool last(const Head&): nothing of HTTP follows its body;
///   static std::string describe(const Head&);
template <class Message>
class Http1Run {
 public:
  using Head = typename Message::Head;

  struct Complete {
    const Head& head;
    const std::string& body;
    const http::HeaderBlock* trailers;
  };

  explicit Http1Run(const typename Message::Context& context)
      : context_(context) {
    begin_head();
  }

  /// Calls `on_message(const Complete&)` for each whole message.
  template <class OnMessage>
  void feed(std::string_view cut, OnMessage on_message) {
    const Piece piece(cut);
    std::string_view rest = piece.view();
    while (!rest.empty() && !over_) {
      const size_t consumed = in_body_ ? read_body(rest) : read_head(rest);
      HANGU_ASSERT(consumed <= rest.size());
      consumed_ += consumed;
      rest.remove_prefix(consumed);
      if (in_body_ && decoder_.finished()) {
        end_message(on_message);
      }
    }
  }

  /// The peer has ended its direction.
  template <class OnMessage>
  void end(OnMessage on_message) {
    if (over_) {
      return;
    }
    if (!in_body_) {
      text_ += reader_->started() ? "within a head\n" : "";
    } else if (const auto ended = decoder_.on_eof(); !ended) {
      text_ += describe(ended.error()) + body_ + "\n";
    } else {
      end_message(on_message);
    }
    over_ = true;
  }

  const std::string& text() const { return text_; }

  /// Bytes that belong to messages.
  size_t consumed() const { return consumed_; }

  size_t messages() const { return messages_; }

 private:
  size_t read_head(std::string_view input) {
    const auto step = reader_->read(input, memory_->arena());
    if (!step) {
      return fail_with(step.error());
    }
    if (!step->complete) {
      HANGU_ASSERT(step->consumed == input.size());
      return step->consumed;
    }
    head_->reset(memory_->arena());
    if (const auto parsed = Message::parse(step->head, context_, *head_); !parsed) {
      return fail_with(parsed.error());
    }
    text_ += Message::describe(*head_) + describe(head_->headers);
    decoder_.begin(head_->framing, head_->content_length, memory_->arena(), {}, Message::kSide);
    in_body_ = true;
    return step->consumed;
  }

  size_t read_body(std::string_view input) {
    using Kind = codec::http1::BodyDecoder::Step::Kind;
    const auto step = decoder_.next(input);
    if (!step) {
      return fail_with(step.error());
    }
    HANGU_ASSERT(step->kind != Kind::kEnd || decoder_.finished());
    HANGU_ASSERT(step->kind != Kind::kNeedMore || step->consumed == input.size());
    HANGU_ASSERT((step->kind == Kind::kData) != step->data.empty());
    HANGU_ASSERT(step->consumed != 0);  // it would be asked again for ever
    body_ += step->data;
    return step->consumed;
  }

  size_t fail_with(const Error& error) {
    HANGU_ASSERT(error.side == Message::kSide && error.code != Errc::kInternal);
    text_ += body_ + "\n" + describe(error);
    over_ = true;
    return 0;
  }

  template <class OnMessage>
  void end_message(OnMessage on_message) {
    const http::HeaderBlock* trailers = decoder_.trailers();
    text_ += body_ + "\nend\n" + (trailers != nullptr ? describe(*trailers) : std::string());
    ++messages_;
    const bool last = Message::last(*head_);
    on_message(Complete{*head_, body_, trailers});
    over_ = last;
    begin_head();
  }

  void begin_head() {
    reader_->reset();
    head_ = std::make_unique<Head>();
    memory_ = std::make_unique<Memory>();
    body_.clear();
    in_body_ = false;
  }

  typename Message::Context context_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Head> head_;
  std::unique_ptr<codec::http1::HeadReader> reader_ =
      std::make_unique<codec::http1::HeadReader>(Message::kKind, codec::http1::Limits{});
  codec::http1::BodyDecoder decoder_;
  std::string body_;
  std::string text_;
  size_t consumed_ = 0;
  size_t messages_ = 0;
  bool in_body_ = false;
  bool over_ = false;
};

/// Whole, in random pieces and, if short, byte by byte: always the same. `on_message` as above.
template <class Message, class OnMessage>
void check_all_cuts(std::string_view input, const typename Message::Context& context,
                    OnMessage on_message) {
  Http1Run<Message> whole(context);
  whole.feed(input, on_message);
  whole.end(on_message);
  constexpr size_t kShort = 2048;
  for (const size_t piece_max :
       {input.size() <= kShort ? size_t{1} : size_t{7}, size_t{40}, size_t{3000}}) {
    Http1Run<Message> pieces(context);
    const auto ignore = [](const auto&) {};
    for (const std::string_view cut : cut_randomly(input, piece_max)) {
      pieces.feed(cut, ignore);
    }
    pieces.end(ignore);
    HANGU_ASSERT(pieces.text() == whole.text());
    HANGU_ASSERT(pieces.messages() == whole.messages());
  }
}

/// `wire` is exactly one message. Calls `on_message` for it.
template <class Message, class OnMessage>
void check_one_message(std::string_view wire, const typename Message::Context& context,
                       OnMessage on_message) {
  Http1Run<Message> run(context);
  run.feed(wire, on_message);
  HANGU_ASSERT(run.messages() == 1);
  HANGU_ASSERT(run.consumed() == wire.size());
}

/// A body as the gateway writes it; chunked in several chunks.
inline std::string encode_body(http::BodyFraming framing, std::string_view body,
                               const http::HeaderBlock* trailers, buffer::Arena& arena) {
  if (framing != http::BodyFraming::kChunked) {
    return std::string(body);
  }
  std::string wire;
  for (const std::string_view piece : cut_randomly(body, 300)) {
    char header[codec::http1::kChunkHeaderBytesMax];
    wire.append(header, codec::http1::write_chunk_header(header, piece.size()));
    wire.append(piece).append("\r\n");
  }
  if (trailers == nullptr) {
    return wire + "0\r\n\r\n";
  }
  return wire.append(codec::http1::serialise_trailers(*trailers, arena).view());
}

}  // namespace hangu::fuzz

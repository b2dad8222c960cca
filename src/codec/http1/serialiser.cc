#include "hangu/codec/http1/serialiser.h"

#include <bit>
#include <charconv>
#include <cstring>

namespace hangu::codec::http1 {
namespace {

using http::BodyFraming;
using http::HeaderName;
using http::HeaderNameSet;

// Fields that frame the message or rule the connection: written from what the caller says, never
// copied.
constexpr HeaderNameSet kFraming =
    http::header_name_set(HeaderName::kConnection, HeaderName::kKeepAlive,
                          HeaderName::kProxyConnection, HeaderName::kTransferEncoding);

// The start line's fixed text, every framing field and the empty line are within this.
constexpr size_t kFixedBytesMax = 192;

class Writer {
 public:
  explicit Writer(char* out)
      : begin_(out),
        to_(out) {}

  void put(std::string_view text) {
    if (text.empty()) {
      return;  // may have no address to copy from
    }
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }

  void put(uint64_t number) { to_ = std::to_chars(to_, to_ + 20, number).ptr; }

  /// What was written; the rest of the memory goes back to the arena it came from.
  buffer::Slice finish(buffer::Arena& arena) const {
    arena.trim(to_);
    return arena.slice_of({begin_, static_cast<size_t>(to_ - begin_)});
  }

 private:
  char* begin_;
  char* to_;
};

/// Copies field lines; lines that follow each other in memory as they must on the wire, in one
/// piece.
class FieldWriter {
 public:
  FieldWriter(Writer& out, HeaderNameSet skipped)
      : out_(out),
        skipped_(skipped) {}

  void put_all(const http::HeaderBlock& headers) {
    for (const http::Header& header : headers) {
      if ((http::bit_of(header.token) & skipped_) == 0) {
        put_field(header);
      }
    }
    flush();
  }

 private:
  void put_field(const http::Header& header) {
    if ((header.flags & http::Header::kLine) != 0) {
      const size_t size = header.line_bytes();
      if (header.name_data == run_ + run_size_) {
        run_size_ += size;
        return;
      }
      flush();
      run_ = header.name_data;
      run_size_ = size;
      return;
    }
    flush();
    out_.put(header.name());
    out_.put(": ");
    out_.put(header.value());
    out_.put("\r\n");
  }

  void flush() {
    if (run_size_ != 0) {
      out_.put({run_, run_size_});
    }
    run_ = nullptr;
    run_size_ = 0;
  }

  Writer& out_;
  HeaderNameSet skipped_;
  const char* run_ = nullptr;
  size_t run_size_ = 0;
};

void put_framing(Writer& out, BodyFraming framing, uint64_t content_length) {
  if (framing == BodyFraming::kLength) {
    out.put("Content-Length: ");
    out.put(content_length);
    out.put("\r\n");
  } else if (framing == BodyFraming::kChunked) {
    out.put("Transfer-Encoding: chunked\r\n");
  }
}

void put_target(Writer& out, const http::RequestHead& head, const RequestFraming& framing) {
  if (!framing.target.empty()) {
    out.put(framing.target);
    return;
  }
  out.put(head.path);
  if (head.has_query) {
    out.put("?");
    out.put(head.query);
  }
}

/// TE is for the next hop only, so it has to be named (RFC 9110 §10.1.4).
void put_request_connection(Writer& out, const http::RequestHead& head,
                            const RequestFraming& framing) {
  const bool te = head.headers.contains(HeaderName::kTe);
  if (framing.upgrade || framing.close) {
    out.put("Connection: ");
    out.put(framing.upgrade ? "upgrade" : "close");
    out.put(te ? ", TE\r\n" : "\r\n");
  } else if (te) {
    out.put("Connection: TE\r\n");
  }
}

}  // namespace

buffer::Slice serialise_request_head(const http::RequestHead& head, const RequestFraming& framing,
                                     buffer::Arena& arena) {
  const std::string_view host = framing.host.empty() ? head.authority : framing.host;
  const size_t bytes_max = kFixedBytesMax + head.method_text.size() + framing.target.size() +
                           head.path.size() + head.query.size() + host.size() +
                           head.headers.bytes();
  Writer out(arena.allocate(bytes_max, 1));
  out.put(head.method_text);
  out.put(" ");
  put_target(out, head, framing);
  out.put(" HTTP/1.1\r\nHost: ");
  out.put(host);
  out.put("\r\n");
  const HeaderNameSet skipped =
      kFraming | http::header_name_set(HeaderName::kHost, HeaderName::kContentLength) |
      (framing.upgrade ? 0 : http::bit_of(HeaderName::kUpgrade));
  FieldWriter(out, skipped).put_all(head.headers);
  put_framing(out, framing.framing, framing.content_length);
  put_request_connection(out, head, framing);
  out.put("\r\n");
  return out.finish(arena);
}

buffer::Slice serialise_response_head(const http::ResponseHead& head,
                                      const ResponseFraming& framing, buffer::Arena& arena) {
  Writer out(arena.allocate(kFixedBytesMax + head.reason.size() + head.headers.bytes(), 1));
  out.put("HTTP/1.1 ");
  out.put(static_cast<uint64_t>(head.status));
  out.put(" ");
  out.put(head.reason);
  out.put("\r\n");
  const bool never_long = head.status < 200 || head.status == 204;
  const bool keep_length = framing.framing == BodyFraming::kNone && !never_long;
  const HeaderNameSet skipped = kFraming |
                                (keep_length ? 0 : http::bit_of(HeaderName::kContentLength)) |
                                (framing.upgrade ? 0 : http::bit_of(HeaderName::kUpgrade));
  FieldWriter(out, skipped).put_all(head.headers);
  if (!never_long) {
    put_framing(out, framing.framing, framing.content_length);
  }
  if (framing.upgrade) {
    out.put("Connection: upgrade\r\n");
  } else if (framing.close) {
    out.put("Connection: close\r\n");
  } else if (framing.http10) {
    out.put("Connection: keep-alive\r\n");
  }
  out.put("\r\n");
  return out.finish(arena);
}

buffer::Slice serialise_trailers(const http::HeaderBlock& trailers, buffer::Arena& arena) {
  Writer out(arena.allocate(kFixedBytesMax + trailers.bytes(), 1));
  out.put("0\r\n");
  FieldWriter(out, kFraming).put_all(trailers);
  out.put("\r\n");
  return out.finish(arena);
}

size_t write_chunk_header(char* out, uint64_t size) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto digits = static_cast<size_t>((std::bit_width(size) + 3) / 4);
  for (size_t i = digits; i > 0; --i) {
    out[i - 1] = kHex[size & 0x0f];
    size >>= 4;
  }
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace hangu::codec::http1

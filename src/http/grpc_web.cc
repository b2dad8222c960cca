#include "hangu/http/grpc_web.h"

#include <algorithm>

#include "hangu/http/text.h"

namespace hangu::http {
namespace {

constexpr std::string_view kGrpc = "application/grpc";
constexpr std::string_view kWeb = "application/grpc-web";
constexpr std::string_view kWebText = "application/grpc-web-text";
constexpr uint8_t kTrailersFlag = 0x80;
constexpr size_t kFramePrefix = 5;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> make_digits() {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}

constexpr std::array<uint8_t, 256> kDigits = make_digits();

bool is_type(std::string_view value, std::string_view type) {
  if (!equals_ignore_case(value.substr(0, type.size()), type)) {
    return false;
  }
  const std::string_view rest = value.substr(type.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';' || rest.front() == ' ';
}

std::string_view joined(std::string_view a, std::string_view b, buffer::Arena& arena) {
  char* const text = arena.allocate(a.size() + b.size(), 1);
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), text));
  return {text, a.size() + b.size()};
}

}  // namespace

GrpcWeb grpc_web_of(const HeaderBlock& headers) noexcept {
  const std::string_view type = headers.value(HeaderName::kContentType);
  return is_type(type, kWeb)       ? GrpcWeb::kBinary
         : is_type(type, kWebText) ? GrpcWeb::kText
                                   : GrpcWeb::kNone;
}

std::string_view grpc_type_of(std::string_view grpc_web_type, buffer::Arena& arena) noexcept {
  const size_t size = is_type(grpc_web_type, kWeb) ? kWeb.size() : kWebText.size();
  return joined(kGrpc, grpc_web_type.substr(size), arena);
}

std::string_view grpc_web_type_of(std::string_view grpc_type, GrpcWeb form,
                                  buffer::Arena& arena) noexcept {
  if (!is_type(grpc_type, kGrpc)) {
    return grpc_type;
  }
  const std::string_view rest = grpc_type.substr(kGrpc.size());
  return joined(form == GrpcWeb::kText ? kWebText : kWeb, rest.empty() ? "+proto" : rest, arena);
}

size_t grpc_web_trailers_bytes(const HeaderBlock& trailers) noexcept {
  size_t bytes = kFramePrefix;
  for (const Header& header : trailers) {
    bytes += header.name().size() + header.value().size() + 4;
  }
  return bytes;
}

char* write_grpc_web_trailers(const HeaderBlock& trailers, char* out) noexcept {
  const size_t size = grpc_web_trailers_bytes(trailers) - kFramePrefix;
  *out++ = static_cast<char>(kTrailersFlag);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    *out++ = static_cast<char>(size >> shift);
  }
  for (const Header& header : trailers) {
    const std::string_view name = header.name();
    const std::string_view value = header.value();
    out = std::transform(name.begin(), name.end(), out, to_lower);
    *out++ = ':';
    *out++ = ' ';
    out = std::copy(value.begin(), value.end(), out);
    *out++ = '\r';
    *out++ = '\n';
  }
  return out;
}

char* write_base64(std::string_view bytes, char* out) noexcept {
  while (!bytes.empty()) {
    const auto byte = [&](size_t i) -> uint32_t {
      return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0;
    };
    const uint32_t bits = byte(0) << 16U | byte(1) << 8U | byte(2);
    *out++ = kAlphabet[bits >> 18U];
    *out++ = kAlphabet[bits >> 12U & 63U];
    *out++ = bytes.size() > 1 ? kAlphabet[bits >> 6U & 63U] : '=';
    *out++ = bytes.size() > 2 ? kAlphabet[bits & 63U] : '=';
    bytes.remove_prefix(std::min<size_t>(3, bytes.size()));
  }
  return out;
}

char* Base64Decoder::decode(std::string_view piece, char* out) noexcept {
  for (const char c : piece) {
    if (c == '=') {
      if (held_ < 2) {
        return nullptr;
      }
      ++padding_;
      quad_[held_++] = 0;
    } else {
      const uint8_t digit = kDigits[static_cast<uint8_t>(c)];
      if (digit == kNoDigit || padding_ != 0) {
        return nullptr;
      }
      quad_[held_++] = digit;
    }
    if (held_ < quad_.size()) {
      continue;
    }
    const uint32_t bits = static_cast<uint32_t>(quad_[0]) << 18U |
                          static_cast<uint32_t>(quad_[1]) << 12U |
                          static_cast<uint32_t>(quad_[2]) << 6U | quad_[3];
    *out++ = static_cast<char>(bits >> 16U);
    if (padding_ < 2) {
      *out++ = static_cast<char>(bits >> 8U);
    }
    if (padding_ == 0) {
      *out++ = static_cast<char>(bits);
    }
    held_ = 0;
    padding_ = 0;
  }
  return out;
}

}  // namespace hangu::http

#include "hangu/http/grpc_web.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

class GrpcWebTest : public testing::Test {
 protected:
  GrpcWebTest() { headers_.reset(arena_); }

  GrpcWeb form_of(std::string_view type) {
    EXPECT_TRUE(headers_.set(HeaderName::kContentType, type));
    return grpc_web_of(headers_);
  }

  buffer::BlockPool small_{{.block_bytes = 2048, .blocks_max = 16}};
  buffer::BlockPool large_{{.block_bytes = 65536, .blocks_max = 4}};
  buffer::Arena arena_{small_, large_};
  HeaderBlock headers_;
};

TEST_F(GrpcWebTest, KnowsItsTypes) {
  EXPECT_EQ(form_of("application/grpc-web"), GrpcWeb::kBinary);
  EXPECT_EQ(form_of("application/grpc-web+proto"), GrpcWeb::kBinary);
  EXPECT_EQ(form_of("Application/gRPC-Web; charset=x"), GrpcWeb::kBinary);
  EXPECT_EQ(form_of("application/grpc-web-text"), GrpcWeb::kText);
  EXPECT_EQ(form_of("application/grpc-web-text+proto"), GrpcWeb::kText);
  for (const char* type : {"application/grpc", "application/grpc-webby", "application/grpc-web-te",
                           "application/json", ""}) {
    EXPECT_EQ(form_of(type), GrpcWeb::kNone) << type;
  }
}

TEST_F(GrpcWebTest, TranslatesTypes) {
  EXPECT_EQ(grpc_type_of("application/grpc-web+json", arena_), "application/grpc+json");
  EXPECT_EQ(grpc_type_of("application/grpc-web-text", arena_), "application/grpc");
  EXPECT_EQ(grpc_web_type_of("application/grpc", GrpcWeb::kBinary, arena_),
            "application/grpc-web+proto");
  EXPECT_EQ(grpc_web_type_of("application/grpc+json", GrpcWeb::kText, arena_),
            "application/grpc-web-text+json");
  EXPECT_EQ(grpc_web_type_of("text/html", GrpcWeb::kText, arena_), "text/html");
}

TEST_F(GrpcWebTest, WritesTrailersAsAFrame) {
  ASSERT_TRUE(headers_.add("Grpc-Status", "0"));
  ASSERT_TRUE(headers_.add("x-a", ""));
  std::string out(grpc_web_trailers_bytes(headers_), '?');
  EXPECT_EQ(write_grpc_web_trailers(headers_, out.data()), out.data() + out.size());
  EXPECT_EQ(out, std::string("\x80\0\0\0\x17", 5) + "grpc-status: 0\r\nx-a: \r\n");
}

TEST(Base64, Writes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {std::string_view("\0\xff\xfe", 3), "AP/+"}};
  for (const auto& [bytes, expected] : cases) {
    std::string out(base64_bytes(bytes.size()), '?');
    EXPECT_EQ(write_base64(bytes, out.data()), out.data() + out.size());
    EXPECT_EQ(out, expected);
  }
}

/// "!" for what is refused, "?" for what may not end there.
std::string decode(std::string_view text, size_t piece_bytes) {
  Base64Decoder decoder;
  std::string all;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    std::string out(Base64Decoder::bytes_max(piece.size() + 3), '?');
    char* const end = decoder.decode(piece, out.data());
    if (end == nullptr) {
      return "!";
    }
    all.append(out.data(), end);
    text.remove_prefix(piece.size());
  }
  return decoder.complete() ? all : "?";
}

TEST(Base64, DecodesHoweverItIsCut) {
  for (size_t piece_bytes = 1; piece_bytes < 12; ++piece_bytes) {
    EXPECT_EQ(decode("Zm9vYmFy", piece_bytes), "foobar");
    EXPECT_EQ(decode("Zg==Zm8=Zm9v", piece_bytes), "ffofoo");
    EXPECT_EQ(decode("AP/+", piece_bytes), std::string("\0\xff\xfe", 3));
    EXPECT_EQ(decode("Zm9vYg", piece_bytes), "?");
    for (const char* bad : {"=AAA", "A===", "Zg=v", "Zm9 v", "Zm-_", "Zm9v\n"}) {
      EXPECT_EQ(decode(bad, piece_bytes), "!") << bad;
    }
  }
}

}  // namespace
}  // namespace hangu::http

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "hangu/http/grpc.h"

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

TEST(GrpcReplyTest, SaysWhenToComeBackAndWhatIsLeft) {
  test::Memory memory;
  ResponseHead response;
  const std::array<ReplyField, 3> fields = {
      {{"ratelimit", "\"a\";r=0;t=7"}, {"content-type", "text/plain"}, {"grpc-status", "0"}}};
  make_grpc_response({.status = 429, .code = "c", .retry_after_s = 7, .fields = fields},
                     memory.arena(), response);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("grpc-status")->value(), "8");
  EXPECT_EQ(response.headers.find("grpc-retry-pushback-ms")->value(), "7000");
  EXPECT_EQ(response.headers.find("ratelimit")->value(), "\"a\";r=0;t=7");
}

TEST(GrpcReplyTest, SaysNoTimeWithoutOneAndNoneThatClientsCannotRead) {
  test::Memory memory;
  ResponseHead response;
  make_grpc_response({.status = 404, .code = "c"}, memory.arena(), response);
  EXPECT_EQ(response.headers.find("grpc-retry-pushback-ms"), nullptr);
  make_grpc_response({.status = 503, .code = "c", .retry_after_s = UINT32_MAX}, memory.arena(),
                     response);
  EXPECT_EQ(response.headers.find("grpc-retry-pushback-ms")->value(), "2147483647");
}

TEST(GrpcReplyTest, BlamesTheServerForWhatIsItsFault) {
  for (unsigned status = 0; status < kGrpcStatuses; ++status) {
    const bool expected = status == 2 || status == 13 || status == 14 || status == 15;
    EXPECT_EQ(is_server_error(static_cast<GrpcStatus>(status)), expected) << status;
  }
}

}  // namespace
}  // namespace hangu::http

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
  const std::array<ReplyField, 1> fields = {{{"ratelimit", "\"a\";r=0;t=7"}}};
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
  EXPECT_EQ(http_status_for(GrpcStatus::kOk), 200);
  EXPECT_EQ(http_status_for(GrpcStatus::kNotFound), 200);
  EXPECT_EQ(http_status_for(GrpcStatus::kUnavailable), 503);
  EXPECT_EQ(http_status_for(GrpcStatus::kInternal), 500);
  EXPECT_EQ(http_status_for(GrpcStatus::kDeadlineExceeded), 504);
  EXPECT_EQ(http_status_for(GrpcStatus::kResourceExhausted), 429);
}

}  // namespace
}  // namespace hangu::http

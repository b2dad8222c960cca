#include "hangu/http/status.h"

#include <string_view>

#include <gtest/gtest.h>

#include "hangu/http/text.h"

namespace hangu::http {
namespace {

TEST(StatusTest, NamesTheRegisteredCodes) {
  const struct {
    int status;
    std::string_view phrase;
  } cases[] = {
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {204, "No Content"},
      {304, "Not Modified"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {404, "Not Found"},
      {413, "Content Too Large"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {451, "Unavailable For Legal Reasons"},
      {500, "Internal Server Error"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {511, "Network Authentication Required"},
  };

  for (const auto& [status, phrase] : cases) {
    EXPECT_EQ(reason_phrase(status), phrase) << status;
  }
}

TEST(StatusTest, HasATextForEveryNumber) {
  for (const int status :
       {-1, 0, 99, 104, 199, 227, 299, 306, 309, 399, 418, 419, 499, 509, 512, 599, 600, 1000000}) {
    EXPECT_EQ(reason_phrase(status), std::string_view("Unknown")) << status;
  }
  for (int status = 0; status < 1000; ++status) {
    const std::string_view phrase = reason_phrase(status);
    EXPECT_FALSE(phrase.empty()) << status;
    EXPECT_TRUE(is_field_value(phrase)) << status;
  }
}

}  // namespace
}  // namespace hangu::http

#include "hangu/http/problem_page.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

using namespace std::string_view_literals;

bool wants_page(std::string_view accept) {
  test::Memory memory;
  HeaderBlock headers(memory.arena());
  headers.add(HeaderName::kAccept, accept);
  return http::wants_page(headers);
}

TEST(ProblemPageTest, IsForWhoeverReadsPages) {
  EXPECT_TRUE(wants_page("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
  EXPECT_TRUE(wants_page("TEXT/HTML, Application/xhtml+xml"));
  EXPECT_FALSE(wants_page("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"));  // of Java
  EXPECT_FALSE(wants_page("*/*"));
  EXPECT_FALSE(wants_page("application/json, text/html, application/xhtml+xml"));
  EXPECT_FALSE(wants_page("application/problem+json, text/html, application/xhtml+xml"));
  EXPECT_FALSE(wants_page("text/html-like"));
  test::Memory memory;
  EXPECT_FALSE(http::wants_page(HeaderBlock(memory.arena())));
}

TEST(ProblemPageTest, SaysWhatTheProblemSays) {
  test::Memory memory;
  const std::string page(render_problem_page({.status = 503,
                                              .code = "upstream.overflow",
                                              .detail = "too <many> & \"more\"",
                                              .retry_after_s = 7},
                                             "01\xff<", memory.arena()));
  EXPECT_NE(page.find("<h1>503 Service Unavailable</h1>"), std::string::npos);
  EXPECT_NE(page.find("too &lt;many&gt; &amp; &quot;more&quot;"), std::string::npos);
  EXPECT_NE(page.find("again in 7 s"), std::string::npos);
  EXPECT_NE(page.find("upstream.overflow &middot; request 01?&lt;"), std::string::npos);
}

}  // namespace
}  // namespace hangu::http

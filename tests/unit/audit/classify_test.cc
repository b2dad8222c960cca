#include "hangu/audit/classify.h"

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

void expect(std::string_view code, uint16_t status, bool by_filter, Event event, Outcome outcome,
            bool security) {
  const Verdict verdict = classify(code, status, by_filter);
  EXPECT_EQ(verdict.event, event) << code;
  EXPECT_EQ(verdict.outcome, outcome) << code;
  EXPECT_EQ(verdict.security, security) << code;
}

TEST(Classify, Answers) {
  expect("", 200, false, Event::kRequest, Outcome::kOk, false);
  expect("", 403, false, Event::kRequest, Outcome::kFailed, false);  // the upstream's own
  expect("route.redirect", 302, true, Event::kRequest, Outcome::kOk, false);
  expect("auth.sessions_ended", 200, true, Event::kRequest, Outcome::kOk, true);
}

TEST(Classify, Refusals) {
  expect("auth.invalid", 401, true, Event::kAuthenticationFailed, Outcome::kDenied, true);
  expect("authz.denied:r1", 403, true, Event::kAuthorizationDenied, Outcome::kDenied, true);
  expect("rate_limit.exceeded", 429, true, Event::kRateLimited, Outcome::kDenied, true);
  expect("schema.invalid", 400, true, Event::kSchemaDenied, Outcome::kDenied, true);
  expect("bad_request.header", 400, false, Event::kRequestDenied, Outcome::kDenied, true);
  expect("route.none", 404, true, Event::kRequestDenied, Outcome::kDenied, true);
}

TEST(Classify, Failures) {
  expect("upstream.reset", 502, false, Event::kRequestFailed, Outcome::kFailed, false);
  expect("client.closed", 499, false, Event::kRequestFailed, Outcome::kFailed, false);
  expect("audit.unavailable", 503, true, Event::kRequestFailed, Outcome::kFailed, true);
  expect("filter.error:x", 500, true, Event::kRequestFailed, Outcome::kFailed, true);
}

}  // namespace
}  // namespace hangu::audit

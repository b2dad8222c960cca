#include "hangu/policy/admission_control.h"

#include <random>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class AdmissionControlTest : public testing::Test {
 protected:
  void report(int requests, int successes) {
    for (int i = 0; i < requests; ++i) {
      control_.report(i < successes, options_, now_);
    }
  }

  double share() { return control_.refused_share(options_, now_); }

  AdmissionControl control_;
  AdmissionControl::Options options_;
  int64_t now_ = 100 * kSecond;
};

TEST_F(AdmissionControlTest, RefusesNobodyWhileEnoughSucceeds) {
  EXPECT_EQ(share(), 0);
  report(1000, 950);
  EXPECT_EQ(share(), 0);
}

TEST_F(AdmissionControlTest, RefusesInProportion) {
  report(1000, 475);  // half of what it should be
  EXPECT_NEAR(share(), 0.5, 0.01);
  options_.aggression = 2;
  EXPECT_NEAR(share(), 0.707, 0.01);
}

TEST_F(AdmissionControlTest, LetsSomePassWhateverHappens) {
  report(1000, 0);
  EXPECT_DOUBLE_EQ(share(), 0.8);
  std::mt19937_64 random(1);
  int admitted = 0;
  for (int i = 0; i < 10'000; ++i) {
    admitted += control_.admits(options_, now_, random()) ? 1 : 0;
  }
  EXPECT_NEAR(admitted, 2000, 200);
}

TEST_F(AdmissionControlTest, AFewFailuresSayNothing) {
  report(9, 0);
  EXPECT_EQ(share(), 0);
  report(1, 0);
  EXPECT_GT(share(), 0.7);
}

TEST_F(AdmissionControlTest, ForgetsWhatHasLeftTheWindow) {
  report(1000, 0);
  now_ += 15 * kSecond;
  report(1000, 1000);
  EXPECT_NEAR(share(), 1 - 0.5 / 0.95, 0.01);
  now_ += 15 * kSecond;
  EXPECT_EQ(share(), 0);
  now_ += 3600 * kSecond;
  EXPECT_EQ(share(), 0);
}

/// An upstream that can answer 100 requests a second, asked 1000 times: what is let through comes
/// down to little more than it can do, and up again when the crowd is gone.
TEST_F(AdmissionControlTest, RelievesAnUpstreamAndRecovers) {
  std::mt19937_64 random(2);
  options_.window = std::chrono::seconds(10);
  options_.reject_percent_max = 95;
  int admitted = 0;
  for (int second = 0; second < 60; ++second) {
    now_ += kSecond;
    admitted = 0;
    for (int i = 0; i < 1000; ++i) {
      if (control_.admits(options_, now_, random())) {
        control_.report(++admitted <= 100, options_, now_);
      }
    }
  }
  EXPECT_LE(admitted, 400);
  for (int second = 0; second < 30; ++second) {
    now_ += kSecond;
    admitted = 0;
    for (int i = 0; i < 80; ++i) {
      if (control_.admits(options_, now_, random())) {
        control_.report(++admitted <= 100, options_, now_);
      }
    }
  }
  EXPECT_EQ(admitted, 80);
}

}  // namespace
}  // namespace hangu::policy

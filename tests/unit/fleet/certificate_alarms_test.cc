// Alarms about certificates: once a day for all nodes, and an end when they are renewed.
#include "hangu/fleet/certificate_alarms.h"

#include <chrono>

#include <gtest/gtest.h>

#include "hangu/fleet/rollout.h"

namespace hangu::fleet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int64_t kNowS = 1'800'000'000;
const ExpiringCertificate kOne{"f1", "CN=one", kNowS + 5 * 86400};
const ExpiringCertificate kTwo{"f2", "CN=two", kNowS + 3 * 86400};

class CertificateAlarmsTest : public ::testing::Test {
 protected:
  CertificateAlarms::Step look(const std::vector<NodeCertificates>& nodes, Duration later = {}) {
    now_ += later;
    // As the next one that leads would find it.
    alarms_ = CertificateAlarms::read(alarms_.to_json());
    return alarms_.update(nodes, now_);
  }

  CertificateAlarms alarms_;
  WallTime now_ = WallTime(seconds(kNowS));
};

TEST_F(CertificateAlarmsTest, OnceForAllNodes) {
  auto step = look({{"b", {kOne}}, {"a", {kOne, kTwo}}, {"c", {}}});
  ASSERT_EQ(step.raised.size(), 2u);
  EXPECT_TRUE(look({{"b", {kOne}}, {"a", {kOne, kTwo}}, {"c", {kOne}}}).raised.empty());
  const auto active = alarms_.active();
  ASSERT_EQ(active.size(), 2u);
  EXPECT_EQ(active[0].certificate, kTwo);  // ends first
  EXPECT_EQ(active[1].nodes, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(CertificateAlarmsTest, OnceADay) {
  EXPECT_EQ(look({{"a", {kOne}}}).raised.size(), 1u);
  EXPECT_TRUE(look({{"a", {kOne}}}, hours(23)).raised.empty());
  EXPECT_EQ(look({{"a", {kOne}}}, hours(1)).raised.size(), 1u);
  EXPECT_TRUE(look({{"a", {kOne}}}, minutes(1)).raised.empty());
  EXPECT_EQ(look({{"a", {kOne}}}, -hours(48)).raised.size(), 1u);  // the clock was set back
  EXPECT_TRUE(look({{"a", {kOne}}}, minutes(1)).raised.empty());
}

TEST_F(CertificateAlarmsTest, ARenewedOneIsOver) {
  look({{"a", {kOne}}, {"b", {kOne}}});
  auto step = look({{"a", {}}, {"b", {kOne}}});
  EXPECT_TRUE(step.cleared.empty());
  EXPECT_EQ(alarms_.active().at(0).nodes, std::vector<std::string>{"b"});
  step = look({{"a", {}}, {"b", {}}});
  ASSERT_EQ(step.cleared.size(), 1u);
  EXPECT_EQ(step.cleared[0].certificate, kOne);
  EXPECT_TRUE(alarms_.active().empty());
  EXPECT_TRUE(look({{"a", {}}, {"b", {}}}).cleared.empty());
  EXPECT_TRUE(look({{"a", {kOne}}, {"b", {}}}).raised.empty());  // put back on the same day
  EXPECT_EQ(alarms_.active().size(), 1u);
}

TEST_F(CertificateAlarmsTest, ANodeThatIsAwayMayStillHaveIt) {
  look({{"a", {kOne}}, {"b", {}}});
  EXPECT_TRUE(look({{"b", {}}}, hours(1)).cleared.empty());
  EXPECT_EQ(alarms_.active().size(), 1u);
  EXPECT_TRUE(look({{"a", {kOne}}, {"b", {}}}, hours(1)).raised.empty());
  EXPECT_EQ(look({{"b", {}}}, hours(22)).cleared.size(), 1u);  // for a day
  EXPECT_EQ(alarms_, CertificateAlarms());
}

TEST_F(CertificateAlarmsTest, WhatIsInTheStoreIsNotBelieved) {
  for (const char* text : {"", "{", "[]", R"({"certificates": 1})", R"({"certificates": [1, {}]})",
                           R"({"certificates": [{"subject": "CN=x", "raised_ms": "y"}]})"}) {
    EXPECT_EQ(CertificateAlarms::read(text), CertificateAlarms()) << text;
  }
  std::vector<NodeCertificates> nodes(1);
  for (size_t i = 0; i < 2 * CertificateAlarms::kMax; ++i) {
    nodes[0].certificates.push_back({std::to_string(i), "CN=x", kNowS});
  }
  look(nodes);
  EXPECT_EQ(alarms_.active().size(), CertificateAlarms::kMax);
}

TEST(EndingWithinTest, TheFirstOneFirstEachOnce) {
  const ExpiringCertificate later{"f3", "CN=later", kNowS + 30 * 86400};
  const ExpiringCertificate over{"f4", "CN=over", kNowS - 1};
  const WallTime now{seconds(kNowS)};
  EXPECT_EQ(ending_within({later, kOne, kTwo, over, kOne}, hours(24 * 14), now),
            (std::vector<ExpiringCertificate>{over, kTwo, kOne}));
  EXPECT_TRUE(ending_within({kOne, over}, Duration::zero(), now).empty());
}

TEST(NodeReportTest, TellsOfKeysAndCertificates) {
  NodeReport report;
  report.node = "a";
  report.keys = 7;
  report.certificates = {kTwo, kOne};
  EXPECT_EQ(read_report(to_json(report)), report);
}

}  // namespace
}  // namespace hangu::fleet

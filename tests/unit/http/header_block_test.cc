#include "hangu/http/header_block.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

class HeaderBlockTest : public testing::Test {
 protected:
  HeaderBlockTest() {
    headers_.add("Host", "a");
    headers_.add("X-One", "1");
    headers_.add("Accept", "x");
    headers_.add("x-one", "2");
    headers_.add("accept", "y");
    headers_.add("X-Two", "");
  }

  /// "name=value " for each; checks the sums on the way.
  std::string text() const {
    std::string all;
    size_t count = 0;
    size_t bytes = 0;
    for (const Header& header : headers_) {
      all.append(header.name()).append("=").append(header.value()).append(" ");
      ++count;
      bytes += header.name().size() + header.value().size() + 4;
    }
    EXPECT_EQ(headers_.size(), count);
    EXPECT_EQ(headers_.empty(), count == 0);
    EXPECT_EQ(headers_.bytes(), bytes);
    return all;
  }

  std::string found(std::string_view name) const {
    const Header* header = headers_.find(name);
    return header != nullptr ? std::string(header->value()) : "none";
  }

  test::Memory memory_;
  HeaderBlock headers_{memory_.arena()};
};

TEST_F(HeaderBlockTest, KeepsFieldsInOrder) {
  EXPECT_EQ(text(), "Host=a X-One=1 Accept=x x-one=2 accept=y X-Two= ");
}

TEST_F(HeaderBlockTest, FindsTheFirstOfAName) {
  EXPECT_EQ(found("HOST"), "a");
  EXPECT_EQ(found("X-ONE"), "1");
  EXPECT_EQ(found("x-two"), "");
  EXPECT_EQ(found("x-three"), "none");
  EXPECT_EQ(found("via"), "none");
  EXPECT_EQ(headers_.value(HeaderName::kAccept), "x");
  EXPECT_EQ(headers_.value(HeaderName::kVia), "");
  EXPECT_EQ(headers_.find(HeaderName::kVia), nullptr);
  EXPECT_TRUE(headers_.contains(HeaderName::kHost));
  EXPECT_TRUE(headers_.contains_any(header_name_set(HeaderName::kVia, HeaderName::kHost)));
  EXPECT_FALSE(headers_.contains_any(header_name_set(HeaderName::kVia, HeaderName::kAge)));
}

TEST_F(HeaderBlockTest, RemovesEveryFieldOfAName) {
  headers_.remove(HeaderName::kAccept);
  EXPECT_EQ(text(), "Host=a X-One=1 x-one=2 X-Two= ");
  EXPECT_FALSE(headers_.contains(HeaderName::kAccept));
  headers_.remove("X-oNe");
  EXPECT_EQ(text(), "Host=a X-Two= ");
  EXPECT_EQ(found("x-one"), "none");
  EXPECT_EQ(found("x-two"), "");  // other unknown names are still known to be there
  headers_.remove("x-two");
  EXPECT_FALSE(headers_.contains(HeaderName::kOther));
  headers_.remove("x-two");
  headers_.remove("via");
  headers_.remove("host");
  EXPECT_EQ(text(), "");
}

TEST_F(HeaderBlockTest, RemovesASetOfNames) {
  headers_.remove_any(header_name_set(HeaderName::kVia));
  headers_.remove_any(header_name_set(HeaderName::kHost, HeaderName::kAccept, HeaderName::kVia));
  EXPECT_EQ(text(), "X-One=1 x-one=2 X-Two= ");
  EXPECT_FALSE(headers_.contains(HeaderName::kHost));
  headers_.remove_any(header_name_set(HeaderName::kHost));
  EXPECT_EQ(headers_.size(), 3U);
}

TEST_F(HeaderBlockTest, FindsAFieldAddedAfterRemoval) {
  headers_.remove("host");
  headers_.add("HOST", "b");
  EXPECT_EQ(found("host"), "b");
  EXPECT_EQ(headers_.value(HeaderName::kHost), "b");
}

TEST_F(HeaderBlockTest, SetsOneFieldOfAName) {
  EXPECT_TRUE(headers_.set("x-ONE", "three"));
  EXPECT_EQ(text(), "Host=a X-One=three Accept=x accept=y X-Two= ");
  EXPECT_TRUE(headers_.set(HeaderName::kAccept, ""));
  EXPECT_EQ(text(), "Host=a X-One=three Accept= X-Two= ");
  EXPECT_TRUE(headers_.set("X-New", "n"));
  EXPECT_TRUE(headers_.set(HeaderName::kVia, "v"));
  EXPECT_EQ(text(), "Host=a X-One=three Accept= X-Two= X-New=n via=v ");
  headers_.remove("x-one");
  EXPECT_TRUE(headers_.set("x-one", "4"));
  EXPECT_EQ(found("x-one"), "4");
}

TEST_F(HeaderBlockTest, ForgetsThatAChangedLineStandsInMemory) {
  const std::string line = "Via: 1.1 a\r\n";
  headers_.append(Header{.name_data = line.data(),
                         .value_data = line.data() + 5,
                         .value_size = 5,
                         .name_size = 3,
                         .token = HeaderName::kVia,
                         .flags = Header::kLine});
  EXPECT_EQ(headers_.find(HeaderName::kVia)->flags, Header::kLine);
  headers_.set(HeaderName::kVia, "1.1 b");
  EXPECT_EQ(headers_.find(HeaderName::kVia)->flags, 0);
}

TEST_F(HeaderBlockTest, SetsALineAsItStands) {
  const std::string line = "x-one: three\r\n";
  const Header ready{.name_data = line.data(),
                     .value_data = line.data() + 7,
                     .value_size = 5,
                     .name_size = 5,
                     .token = HeaderName::kOther,
                     .flags = Header::kLine};
  EXPECT_TRUE(headers_.set(ready));
  EXPECT_EQ(text(), "Host=a x-one=three Accept=x accept=y X-Two= ");
  EXPECT_EQ(headers_.find("x-one")->flags, Header::kLine);
  headers_.remove("x-one");
  EXPECT_TRUE(headers_.set(ready));
  EXPECT_EQ(text(), "Host=a Accept=x accept=y X-Two= x-one=three ");
}

TEST_F(HeaderBlockTest, CopiesWhatDoesNotOutliveIt) {
  {
    std::string name = "X-Short-Lived";
    std::string value = "gone";
    headers_.add_copy(name, value);
    headers_.add_copy("VIA", value);
    name.assign(name.size(), '?');
    value.assign(value.size(), '?');
  }
  EXPECT_EQ(found("x-short-lived"), "gone");
  EXPECT_EQ(found("via"), "gone");
}

TEST_F(HeaderBlockTest, IsEmptyAfterReset) {
  headers_.reset(memory_.arena());
  EXPECT_EQ(text(), "");
  EXPECT_FALSE(headers_.contains(HeaderName::kHost));
  EXPECT_FALSE(headers_.contains(HeaderName::kOther));
  headers_.add("Age", "1");
  EXPECT_EQ(text(), "Age=1 ");
}

TEST_F(HeaderBlockTest, GrowsUpToItsLimit) {
  headers_.reset(memory_.arena());
  for (uint32_t i = 0; i < HeaderBlock::kFieldsMax; ++i) {
    ASSERT_TRUE(headers_.add(i % 2 == 0 ? "Age" : "X-Other", "v")) << i;
  }
  EXPECT_EQ(headers_.size(), HeaderBlock::kFieldsMax);
  EXPECT_FALSE(headers_.add("Age", "v"));
  EXPECT_FALSE(headers_.set("X-New", "v"));
  EXPECT_EQ(headers_.size(), HeaderBlock::kFieldsMax);
  headers_.remove("age");
  EXPECT_EQ(headers_.size(), HeaderBlock::kFieldsMax / 2);
  EXPECT_FALSE(headers_.add("Age", "v"));  // removed ones count
}

TEST_F(HeaderBlockTest, RefusesANameThatIsTooLong) {
  const std::string longest(UINT16_MAX, 'n');
  EXPECT_TRUE(headers_.add(longest, "v"));
  EXPECT_EQ(found(longest), "v");
  const std::string longer = longest + "n";
  EXPECT_FALSE(headers_.add(longer, "v"));
  EXPECT_FALSE(headers_.set(longer, "v"));
}

}  // namespace
}  // namespace hangu::http

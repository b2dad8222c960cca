// What is a variable in a text, and what is not.
#include "hangu/config/text_template.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hangu::config {
namespace {

/// "text<number:name>text"; or the error.
std::string parsed(std::string_view text) {
  const auto result = TextTemplate::parse(text);
  if (!result) {
    return result.error();
  }
  std::string out;
  for (const TextTemplate::Piece& piece : result->pieces) {
    out += piece.variable == Variable::kNone
               ? piece.text
               : fmt::format("<{}:{}>", static_cast<int>(piece.variable), piece.text);
  }
  return out;
}

TEST(TextTemplateTest, VariablesAreWordsInBraces) {
  EXPECT_EQ(parsed("{client_ip}"), "<1:>");
  EXPECT_EQ(parsed("a{client_ip}b{client_port}"), "a<1:>b<2:>");
  EXPECT_EQ(parsed("{client_ip}{client_ip}"), "<1:><1:>");
  const auto header = TextTemplate::parse("{header.X-Tenant}");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->pieces[0].variable, Variable::kHeader);
  EXPECT_EQ(header->pieces[0].text, "x-tenant");
  EXPECT_EQ(TextTemplate::parse("{cookie.Sid}")->pieces[0].text, "Sid");
}

TEST(TextTemplateTest, EverythingElseIsText) {
  for (const char* text :
       {"", "plain", "{", "}", "{}", "{ client_ip }", "{client_ip", "client_ip}", "{Client}",
        R"({"group":"a","n":{"b":1}})", "{-}", "{9}", "{a b}", "max-age=9; x={"}) {
    EXPECT_EQ(parsed(text), text);
    EXPECT_FALSE(TextTemplate::parse(text)->has_variables());
  }
  EXPECT_EQ(parsed("{{client_ip}}"), "{client_ip}");
  EXPECT_EQ(parsed("{{whatever}}{client_ip}"), "{whatever}<1:>");
  EXPECT_EQ(parsed("{{client_ip}"), "{<1:>");
}

TEST(TextTemplateTest, UnknownWordsAreErrors) {
  EXPECT_EQ(parsed("{clientip}"),
            "there is no variable {clientip}, did you mean {client_ip}?; for the text itself write "
            "{{clientip}}");
  EXPECT_NE(parsed("{header.}"), "{header.}");
}

TEST(TextTemplateTest, VariablesKnowHowTheyAreWritten) {
  EXPECT_EQ(variable_name(Variable::kClientIp), "client_ip");
  EXPECT_EQ(variable_name(Variable::kTlsClientFingerprint), "tls_client_fingerprint");
  EXPECT_EQ(variable_name(Variable::kCapture), "path.");
  EXPECT_EQ(variable_name(Variable::kNone), "");
}

}  // namespace
}  // namespace hangu::config

#include "base/content_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ascii.h"

namespace invited::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ContentType, TheMediaTypeStandsBeforeTheParametersAsItWasWritten) {
  EXPECT_EQ(parse_content_type("text/xml").media_type, "text/xml");
  EXPECT_EQ(parse_content_type(" \tText/XML \t; charset=utf-8").media_type, "Text/XML");
  EXPECT_EQ(parse_content_type("application/json;charset=utf-8").media_type, "application/json");
  // A browser's form is nothing else for what stands behind it.
  EXPECT_EQ(parse_content_type("text/plain; application/json").media_type, "text/plain");
  EXPECT_EQ(parse_content_type("application/json, text/plain").media_type, "application/json, text/plain");
  EXPECT_EQ(parse_content_type("application/json text/plain").media_type, "application/json text/plain");
  EXPECT_EQ(parse_content_type("").media_type, "");
  EXPECT_EQ(parse_content_type(" ; charset=utf-8").media_type, "");
}

TEST(ContentType, EveryCharsetIsFoundAndNoneWithinQuotes) {
  const auto charsets = [](std::string_view field) { return parse_content_type(field).charsets; };
  EXPECT_THAT(charsets("text/xml"), IsEmpty());
  EXPECT_THAT(charsets("text/xml; action=\"a;charset=utf-16\""), IsEmpty());
  EXPECT_THAT(charsets("text/xml; action=\"a\\\";charset=utf-16\""), IsEmpty());
  EXPECT_THAT(charsets("text/xml; Charset = \"utf-8\" ; x=y"), ElementsAre("utf-8"));
  EXPECT_THAT(charsets("text/xml;charset=utf-8;charset=utf-7"), ElementsAre("utf-8", "utf-7"));
  EXPECT_THAT(charsets("text/xml; charset"), ElementsAre(""));
  EXPECT_THAT(charsets("text/xml; charset="), ElementsAre(""));
  EXPECT_THAT(charsets("text/xml; charset=\""), ElementsAre("\""));
  EXPECT_THAT(charsets("text/xml; charsets=utf-16; xcharset=utf-16"), IsEmpty());
}

TEST(ContentType, WhatIsUtf8UnderAnyOfItsNamesIsRead) {
  for (const auto* name : {"utf-8", "UTF-8", "utf8", "Us-Ascii", "ASCII"}) EXPECT_TRUE(is_read_charset(name)) << name;
  for (const auto* name : {"", "utf-16", "utf-7", "utf-8 ", "iso-8859-1", "\"utf-8\""})
    EXPECT_FALSE(is_read_charset(name)) << name;
}

TEST(Ascii, BlanksGoFromBothEndsOnly) {
  EXPECT_EQ(trim_blanks(" \t a b\t "), "a b");
  EXPECT_EQ(trim_blanks(" \t "), "");
  EXPECT_EQ(trim_blanks(""), "");
  EXPECT_EQ(trim_blanks("\r\na\n"), "\r\na\n");
  EXPECT_EQ(trim_blanks("\r\na\n", kXmlBlanks), "a");
}

TEST(Ascii, OnlyLettersHaveCases) {
  EXPECT_TRUE(equals_ignoring_case("Content-TYPE", "content-type"));
  EXPECT_FALSE(equals_ignoring_case("content-type", "content-typ"));
  EXPECT_FALSE(equals_ignoring_case("a[", "a{")) << "0x5b and 0x7b";
  EXPECT_FALSE(equals_ignoring_case("\xc3\x84", "\xc3\xa4"));
}

}  // namespace
}  // namespace invited::base

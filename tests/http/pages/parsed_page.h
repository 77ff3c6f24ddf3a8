// A page as a browser would see it, for assertions: parsed strictly (our pages are well-formed XML besides being HTML),
// with its texts and links by XPath.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "http/message.h"

namespace invited::http {

class ParsedPage {
 public:
  explicit ParsedPage(const Response& response) : body_(response.body) {
    const auto result = document_.load_string(body_.c_str(), pugi::parse_default | pugi::parse_doctype);
    EXPECT_TRUE(result) << result.description() << " at " << body_.substr(static_cast<std::size_t>(result.offset), 120);
  }

  /// The text of the first node that matches, with its children's, blanks collapsed. Empty where none does.
  std::string text(const char* xpath) const {
    const pugi::xpath_query query((std::string("normalize-space(string(") + xpath + "))").c_str());
    return query.evaluate_string(document_);
  }
  bool has(const char* xpath) const { return !document_.select_nodes(xpath).empty(); }
  std::size_t count(const char* xpath) const { return document_.select_nodes(xpath).size(); }
  std::vector<std::string> all(const char* xpath) const {
    std::vector<std::string> values;
    for (const auto& found : document_.select_nodes(xpath))
      values.emplace_back(found.attribute() ? found.attribute().value() : found.node().child_value());
    return values;
  }
  const pugi::xml_document& document() const { return document_; }

 private:
  std::string body_;
  pugi::xml_document document_;
};

/// What every page of ours owes to people who cannot see it: one heading, labels, landmarks, unique ids.
inline void expect_accessible(const ParsedPage& page) {
  EXPECT_EQ(page.count("//h1"), 1u);
  EXPECT_EQ(page.count("//main"), 1u);
  EXPECT_FALSE(page.text("/html/head/title").empty());
  EXPECT_FALSE(page.text("/html/@lang").empty());
  for (const auto& found : page.document().select_nodes("//input[not(@type='hidden')] | //textarea")) {
    const std::string id = found.node().attribute("id").value();
    EXPECT_TRUE(page.has(("//label[@for='" + id + "']").c_str())) << "no label for " << id;
  }
  for (const char* reference : {"//@aria-describedby", "//@aria-labelledby", "//@for"}) {
    for (const std::string& ids : page.all(reference)) {
      std::size_t begin = 0;
      while (begin < ids.size()) {
        const auto end = std::min(ids.find(' ', begin), ids.size());
        const std::string id = ids.substr(begin, end - begin);
        EXPECT_EQ(page.count(("//*[@id='" + id + "']").c_str()), 1u) << reference << " names " << id;
        begin = end + 1;
      }
    }
  }
  EXPECT_FALSE(page.has("//img[not(@alt)]"));
  EXPECT_FALSE(page.has("//svg[not(ancestor::*[@aria-hidden='true'])]"));
  EXPECT_FALSE(page.has("//@style")) << "our policy forbids inline styles";
  EXPECT_FALSE(page.has("//script[not(@src)]")) << "our policy forbids inline scripts";
}

}  // namespace invited::http

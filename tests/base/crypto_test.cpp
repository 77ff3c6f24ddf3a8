#include "base/crypto.h"

#include <gtest/gtest.h>

#include <set>

namespace invited::base {
namespace {

TEST(RandomFraction, LiesBetweenZeroAndOneAndVaries) {
  std::set<double> seen;
  for (int i = 0; i < 100; ++i) {
    const double fraction = random_fraction();
    EXPECT_GE(fraction, 0.0);
    EXPECT_LT(fraction, 1.0);
    seen.insert(fraction);
  }
  EXPECT_GT(seen.size(), 90u);
}

TEST(Crypto, HmacMatchesTheVectorsOfRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256("Jefe", {"what do ya", "", " want for ", "nothing?"}),
            hmac_sha256("Jefe", "what do ya want for nothing?"));
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Crypto, AnHmacKeyGivesTheSameForEachMessageHoweverOftenItWasUsed) {
  for (const std::string& key : {std::string("Jefe"), std::string(131, '\xaa'), std::string(32, '\0')}) {
    const HmacSha256Key kept(key);
    for (const std::string_view message :
         {"what do ya want for nothing?", "", "Hi There", "what do ya want for nothing?"})
      EXPECT_EQ(kept.of({message}), hmac_sha256(key, message)) << key.size() << ' ' << message;
  }
  EXPECT_EQ(to_hex(HmacSha256Key("Jefe").of({"what do ya want ", "for nothing?"})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Crypto, Sha256MatchesTheKnownAnswer) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Crypto, Base64IsPadded) {
  EXPECT_EQ(to_base64("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64(""), "");
}

TEST(Crypto, Base64UrlGoesBothWays) {
  EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(to_base64url(""), "");
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string bytes = random_bytes(size);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes) << size;
  }
}

TEST(Crypto, Base64UrlRefusesEverythingElse) {
  for (const char* text : {"ab+/", "abc=", "ab c", "a", "abc\n", "AB", "äöü"})
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;  // "AB": bits beyond the last byte are not zero
}

TEST(Crypto, Base64IsReadWithItsPadding) {
  EXPECT_EQ(from_base64("c2tfMTIzOg=="), "sk_123:");
  EXPECT_EQ(from_base64("+/+/"), "\xfb\xff\xbf");
  EXPECT_EQ(from_base64(""), "");
  for (const char* text : {"c2tfMTIzOg", "c2tfMTIzOg=", "-_-_", "ab c", "a", "abcd\n", "AB==", "äöü"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

/// Databases hold them, so they are for ever. Computed by another program.
TEST(Crypto, Blake2bOfSixteenBytes) {
  EXPECT_EQ(to_hex(blake2b_128("")), "cae66941d9efbd404e4d88758ea67670");
  EXPECT_EQ(to_hex(blake2b_128("invited")), "9b6b4106c64cd1d09742b9d3320e9c27");
}

TEST(Crypto, RandomBytesAreOfTheSizeAskedForAndNotTheSameTwice) {
  EXPECT_EQ(random_bytes(32).size(), 32u);
  EXPECT_NE(random_bytes(32), random_bytes(32));
}

TEST(Crypto, WhatIsSealedOpensUnderItsKeyOnlyAndUnchanged) {
  const std::string key(32, 'k');
  const std::string sealed = seal(key, "secret");
  EXPECT_EQ(open_sealed(key, sealed), "secret");
  EXPECT_NE(seal(key, "secret"), sealed);  // a new nonce each time
  EXPECT_FALSE(open_sealed(std::string(32, 'j'), sealed));
  EXPECT_FALSE(open_sealed(key, ""));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(open_sealed(key, changed)) << "byte " << i;
    EXPECT_FALSE(open_sealed(key, std::string_view(sealed).substr(0, i))) << "cut to " << i;
  }
}

}  // namespace
}  // namespace invited::base

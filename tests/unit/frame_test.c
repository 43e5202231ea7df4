/* Framing (RFC 6587): each stream whole, split at every position, and a byte at a time. */

#include "base/buffer.h"
#include "syslog/frame.h"
#include "unit.h"

enum { MAX_SIZE = 64 };

enum lines { SINGLE, JOIN, JOIN_LENIENT };

struct stream {
    const char *name;
    enum framing framing;
    bool truncate;
    enum lines lines;
    const char *bytes; /* percent-encoded, as in the tables of cases */
    /* For each frame "NUMBER=message;" or "NUMBER!FIELD: reason@OFFSET;", and '#' at the end */
    const char *expected;
};

#define A64 "%(a*64)"

static const struct stream streams[] = {
    {"lines", FRAMING_NEWLINE, false, SINGLE, "a%0Abc%0A", "1=a;2=bc;#"},
    {"a last line without LF", FRAMING_NEWLINE, false, SINGLE, "a%0Abc", "1=a;#2=bc;"},
    {"empty lines are counted", FRAMING_NEWLINE, false, SINGLE, "%0A%0D%0Aa%0A%00%0Ab%0A",
     "3=a;5=b;#"},
    {"CR LF", FRAMING_NEWLINE, false, SINGLE, "a%0D%0A", "1=a;#"},
    {"only one CR is removed", FRAMING_NEWLINE, false, SINGLE, "a%0D%0D%0A", "1=a%0D;#"},
    {"a CR without LF stays", FRAMING_NEWLINE, false, SINGLE, "a%0Db%0Ac%0D", "1=a%0Db;#2=c%0D;"},
    {"a trailing NUL is removed", FRAMING_NEWLINE, false, SINGLE, "a%00%0Ab%00%0D%0Ac%00",
     "1=a;2=b;#3=c;"},
    {"NUL within a line stays", FRAMING_NEWLINE, false, SINGLE, "a%00b%0A", "1=a%00b;#"},
    {"a line of max-size", FRAMING_NEWLINE, false, SINGLE, A64 "%0Ab%0A", "1=" A64 ";2=b;#"},
    {"max-size does not count NUL CR LF", FRAMING_NEWLINE, false, SINGLE, A64 "%00%0D%0A",
     "1=" A64 ";#"},
    {"one byte more is rejected", FRAMING_NEWLINE, false, SINGLE, A64 "a%0Ab%0A",
     "1!SYSLOG-MSG: longer than --max-size@64;2=b;#"},
    {"its rest is skipped", FRAMING_NEWLINE, false, SINGLE, A64 "%(b*300)%0Ac",
     "1!SYSLOG-MSG: longer than --max-size@64;#2=c;"},
    {"or it is truncated", FRAMING_NEWLINE, true, SINGLE, A64 "%(b*300)%0Ac%0A", "1=" A64 ";2=c;#"},
    {"truncated before a character", FRAMING_NEWLINE, true, SINGLE, "%(a*63)%C3%A9b%0A",
     "1=%(a*63);#"},
    {"truncated after a character", FRAMING_NEWLINE, true, SINGLE, "%(a*62)%C3%A9b%0A",
     "1=%(a*62)%C3%A9;#"},
    {"truncated in invalid UTF-8", FRAMING_NEWLINE, true, SINGLE, "%(a*63)%C3b%0A",
     "1=%(a*63)%C3;#"},
    {"truncated before four bytes", FRAMING_NEWLINE, true, SINGLE, "%(a*61)%F0%9F%98%80%0A",
     "1=%(a*61);#"},
    {"counted", FRAMING_OCTET, false, SINGLE, "1 a2 bc", "1=a;2=bc;#"},
    {"LF and NUL within are data", FRAMING_OCTET, false, SINGLE, "5 a%0Ab%00c", "1=a%0Ab%00c;#"},
    {"one LF at the end is removed", FRAMING_OCTET, false, SINGLE, "3 a%0A%0A", "1=a%0A;#"},
    {"one CR LF at the end is removed", FRAMING_OCTET, false, SINGLE, "3 a%0D%0A", "1=a;#"},
    {"one NUL at the end is removed", FRAMING_OCTET, false, SINGLE, "3 a%00%00", "1=a%00;#"},
    {"a CR at the end stays", FRAMING_OCTET, false, SINGLE, "2 a%0D", "1=a%0D;#"},
    {"LF and CR LF between frames", FRAMING_OCTET, false, SINGLE, "1 a%0A%0D%0A1 b%0A",
     "1=a;2=b;#"},
    {"CR alone between frames", FRAMING_OCTET, false, SINGLE, "1 a%0D1 b",
     "1=a;2!MSG-LEN: expected LF@4;"},
    {"MSG-LEN 0", FRAMING_OCTET, false, SINGLE, "1 a0 b", "1=a;2!MSG-LEN: begins with 0@3;"},
    {"MSG-LEN with a leading zero", FRAMING_OCTET, false, SINGLE, "01 a",
     "1!MSG-LEN: begins with 0@0;"},
    {"MSG-LEN without SP", FRAMING_OCTET, false, SINGLE, "1a",
     "1!MSG-LEN: expected a digit or SP@1;"},
    {"no MSG-LEN", FRAMING_OCTET, false, SINGLE, "1 ab", "1=a;2!MSG-LEN: expected a digit@3;"},
    {"MSG-LEN of 11 digits", FRAMING_OCTET, false, SINGLE, "12345678901 a",
     "1!MSG-LEN: more than 10 digits@10;"},
    {"MSG-LEN of 10 digits", FRAMING_OCTET, false, SINGLE, "9999999999 " A64 "%(b*300)",
     "1!SYSLOG-MSG: longer than --max-size@64;#"},
    {"a truncated frame", FRAMING_OCTET, false, SINGLE, "1 a5 bc",
     "1=a;#2!SYSLOG-MSG: stream ends within it@2;"},
    {"a frame truncated after its SP", FRAMING_OCTET, false, SINGLE, "5 ",
     "#1!SYSLOG-MSG: stream ends within it@0;"},
    {"a truncated MSG-LEN", FRAMING_OCTET, false, SINGLE, "1 a12",
     "1=a;#2!MSG-LEN: stream ends within it@5;"},
    {"a counted message of max-size and LF", FRAMING_OCTET, false, SINGLE, "65 " A64 "%0A1 b",
     "1=" A64 ";2=b;#"},
    {"a counted message over max-size", FRAMING_OCTET, false, SINGLE, "65 " A64 "a1 b",
     "1!SYSLOG-MSG: longer than --max-size@64;2=b;#"},
    {"a counted message far over it", FRAMING_OCTET, false, SINGLE, "364 " A64 "%(<*300)1 b",
     "1!SYSLOG-MSG: longer than --max-size@64;2=b;#"},
    {"or it is truncated, too", FRAMING_OCTET, true, SINGLE, "364 " A64 "%(<*300)1 b",
     "1=" A64 ";2=b;#"},
    {"auto: digits, SP and '<'", FRAMING_AUTO, false, SINGLE, "3 <a>1 b", "#1=3 <a>1 b;"},
    {"auto: ten digits", FRAMING_AUTO, false, SINGLE, "0000000003 <a>%0A", "1=0000000003 <a>;#"},
    {"auto: no '<'", FRAMING_AUTO, false, SINGLE, "3 a>%0A", "1=3 a>;#"},
    {"auto: eleven digits", FRAMING_AUTO, false, SINGLE, "12345678901 <%0A", "1=12345678901 <;#"},
    {"auto: a line", FRAMING_AUTO, false, SINGLE, "<a>%0A3 <b%0A", "1=<a>;2=3 <b;#"},
    {"auto: LF first", FRAMING_AUTO, false, SINGLE, "%0A1 <%0A", "2=1 <;#"},
    {"auto: digits to the end", FRAMING_AUTO, false, SINGLE, "123", "#1=123;"},
    {"auto: digits and SP to the end", FRAMING_AUTO, false, SINGLE, "123 ", "#1=123 ;"},
    {"auto: one digit and LF", FRAMING_AUTO, false, SINGLE, "1%0A", "1=1;#"},
    {"auto: nothing", FRAMING_AUTO, false, SINGLE, "", "#"},
    {"auto decides for the whole stream", FRAMING_AUTO, false, SINGLE, "1 <a%0A3 <1>%0A",
     "1=1 <a;2=3 <1>;#"},
    {"joined lines", FRAMING_NEWLINE, false, JOIN, "<1>a%0Ab%0A<2>c%0A", "1=<1>a%0Ab;#3=<2>c;"},
    {"joined, nothing to join", FRAMING_NEWLINE, false, JOIN, "<1>a%0A<2>b%0A<3>c%0A",
     "1=<1>a;2=<2>b;#3=<3>c;"},
    {"joined, many", FRAMING_NEWLINE, false, JOIN, "<1>a%0A b%0A%09c%0Ad%0A<2>e%0Af%0A",
     "1=<1>a%0A b%0A%09c%0Ad;#5=<2>e%0Af;"},
    {"joined, no PRI first", FRAMING_NEWLINE, false, JOIN, "a%0A<2>b%0A", "1=a;#2=<2>b;"},
    {"joined, no PRI at all", FRAMING_NEWLINE, false, JOIN, "a%0Ab%0A", "#1=a%0Ab;"},
    {"joined, no LF at the end", FRAMING_NEWLINE, false, JOIN, "<1>a%0Ab", "#1=<1>a%0Ab;"},
    {"joined, a PRI and no LF", FRAMING_NEWLINE, false, JOIN, "<1>a%0A<2>b", "#1=<1>a;2=<2>b;"},
    {"joined, one line, no LF", FRAMING_NEWLINE, false, JOIN, "<1>a", "#1=<1>a;"},
    {"joined, CR LF and NUL", FRAMING_NEWLINE, false, JOIN, "<1>a%00%0D%0Ab%0D%0A", "#1=<1>a%0Ab;"},
    {"joined, NUL at the end", FRAMING_NEWLINE, false, JOIN, "<1>a%0Ab%00", "#1=<1>a%0Ab;"},
    {"joined, only a NUL at the end", FRAMING_NEWLINE, false, JOIN, "<1>a%0A%00", "#1=<1>a;"},
    {"joined, empty lines within", FRAMING_NEWLINE, false, JOIN,
     "%0A<1>a%0A%0A%0Db%0A%0A<2>c%0A%0A", "2=<1>a%0A%0A%0Db;#6=<2>c;"},
    {"joined, empty lines before the end", FRAMING_NEWLINE, false, JOIN, "<1>a%0A%0Ab",
     "#1=<1>a%0A%0Ab;"},
    {"joined, not a PRI", FRAMING_NEWLINE, false, JOIN,
     "<1>a%0A<>b%0A<1234>c%0A<12d%0A<%0A<1x>e%0A 2>f%0A",
     "#1=<1>a%0A<>b%0A<1234>c%0A<12d%0A<%0A<1x>e%0A 2>f;"},
    {"joined, three digits", FRAMING_NEWLINE, false, JOIN, "<1>a%0A<999>b%0A", "1=<1>a;#2=<999>b;"},
    {"joined to max-size", FRAMING_NEWLINE, false, JOIN, "<1>%(a*58)%0Abc%0A<2>d%0A",
     "1=<1>%(a*58)%0Abc;#3=<2>d;"},
    {"joined over max-size", FRAMING_NEWLINE, false, JOIN, "<1>%(a*58)%0Abcd%0A<2>d%0A",
     "1!SYSLOG-MSG: longer than --max-size@64;#3=<2>d;"},
    {"joined far over max-size", FRAMING_NEWLINE, false, JOIN,
     "<1>a%0A%(b*300)%0A%(c*300)%0Ad%0A<2>e%0A",
     "1!SYSLOG-MSG: longer than --max-size@64;#5=<2>e;"},
    {"joined over max-size and truncated", FRAMING_NEWLINE, true, JOIN,
     "<1>a%0A%(b*58)%C3%A9c%0A<2>d%0A", "1=<1>a%0A%(b*58);#3=<2>d;"},
    {"joined over max-size, truncated after a character", FRAMING_NEWLINE, true, JOIN,
     "<1>a%0A%(b*57)%C3%A9c%0A<2>d%0A", "1=<1>a%0A%(b*57)%C3%A9;#3=<2>d;"},
    {"joined to one over max-size", FRAMING_NEWLINE, false, JOIN, "<1>%(a*300)%0Ab%0A<2>c%0A",
     "1!SYSLOG-MSG: longer than --max-size@64;#3=<2>c;"},
    {"joined by many empty lines", FRAMING_NEWLINE, false, JOIN, "<1>a%0A%(%0A*300)b%0A<2>c",
     "#1!SYSLOG-MSG: longer than --max-size@64;303=<2>c;"},
    {"joined, but counted", FRAMING_OCTET, false, JOIN, "4 <1>a1 b4 <2>c", "1=<1>a;2=b;3=<2>c;#"},
    {"joined, octet counting detected", FRAMING_AUTO, false, JOIN, "4 <1>a1 b", "1=<1>a;2=b;#"},
    {"joined, newline framing detected", FRAMING_AUTO, false, JOIN, "<1>a%0Ab%0A", "#1=<1>a%0Ab;"},
    {"joined, digits only", FRAMING_AUTO, false, JOIN, "123", "#1=123;"},
    {"joined, a truncated counted frame", FRAMING_OCTET, false, JOIN, "5 <1>",
     "#1!SYSLOG-MSG: stream ends within it@3;"},
    {"auto: a PRI of one digit", FRAMING_AUTO, false, SINGLE, "3 <1>1 b", "1=<1>;2=b;#"},
    {"auto: a PRI of three digits", FRAMING_AUTO, false, SINGLE, "6 <999>a1 b", "1=<999>a;2=b;#"},
    {"auto: ten digits and a PRI", FRAMING_AUTO, false, SINGLE, "9999999999 <13>a",
     "#1!SYSLOG-MSG: stream ends within it@5;"},
    {"auto: eleven digits and a PRI", FRAMING_AUTO, false, SINGLE, "12345678901 <13>a%0A",
     "1=12345678901 <13>a;#"},
    {"auto: a leading zero and a PRI", FRAMING_AUTO, false, SINGLE, "05 <13>a%0A", "1=05 <13>a;#"},
    {"auto: MSG-LEN ends within the PRI", FRAMING_AUTO, false, SINGLE, "1 <13>",
     "1=<;2!MSG-LEN: expected a digit or SP@5;"},
    {"auto: several frames within the PRI", FRAMING_AUTO, false, SINGLE, "1 <1>1 a",
     "1=<;2!MSG-LEN: expected a digit or SP@4;"},
    {"auto: a broken second frame", FRAMING_AUTO, false, SINGLE, "3 <1>x",
     "1=<1>;2!MSG-LEN: expected a digit@5;"},
    {"auto: no digit in the PRI", FRAMING_AUTO, false, SINGLE, "9 <>abc%0A", "1=9 <>abc;#"},
    {"auto: a letter in the PRI", FRAMING_AUTO, false, SINGLE, "9 <1a>%0Ab%0A", "1=9 <1a>;2=b;#"},
    {"auto: four digits in the PRI", FRAMING_AUTO, false, SINGLE, "22 <1234>a%0A",
     "1=22 <1234>a;#"},
    {"auto: HTML", FRAMING_AUTO, false, SINGLE, "404 <html>%0A<1>b%0A", "1=404 <html>;2=<1>b;#"},
    {"auto: a PRI that is not closed", FRAMING_AUTO, false, SINGLE, "8 <13 no%0Ab%0A",
     "1=8 <13 no;2=b;#"},
    {"auto: LF within the PRI", FRAMING_AUTO, false, SINGLE, "8 <13%0A1 <1>%0A",
     "1=8 <13;2=1 <1>;#"},
    {"auto: two spaces", FRAMING_AUTO, false, SINGLE, "8  <13>a%0A", "1=8  <13>a;#"},
    {"auto: TAB for SP", FRAMING_AUTO, false, SINGLE, "8%09<13>a%0A", "1=8%09<13>a;#"},
    {"auto: '<' to the end", FRAMING_AUTO, false, SINGLE, "12 <", "#1=12 <;"},
    {"auto: a PRI without '>' to the end", FRAMING_AUTO, false, SINGLE, "12 <191", "#1=12 <191;"},
    {"auto: a CR after digits", FRAMING_AUTO, false, SINGLE, "12%0D%0Ab", "1=12;#2=b;"},
    {"auto: NUL after digits", FRAMING_AUTO, false, SINGLE, "1%00<1>a%0A", "1=1;2=<1>a;#"},
    {"NUL between frames", FRAMING_OCTET, false, SINGLE, "1 a%001 b%00%00%0A%001 c%00",
     "1=a;2=b;3=c;#"},
    {"NUL before the first frame", FRAMING_OCTET, false, SINGLE, "%001 a", "1=a;#"},
    {"NUL within MSG-LEN", FRAMING_OCTET, false, SINGLE, "1%00 a",
     "1!MSG-LEN: expected a digit or SP@1;"},
    {"NUL after CR between frames", FRAMING_OCTET, false, SINGLE, "1 a%0D%001 b",
     "1=a;2!MSG-LEN: expected LF@4;"},
    {"auto: NUL between frames", FRAMING_AUTO, false, SINGLE, "3 <1>%003 <2>%00", "1=<1>;2=<2>;#"},
    {"NUL ends lines", FRAMING_AUTO, false, SINGLE, "<1>a%00<2>b%00<3>c%00",
     "1=<1>a;2=<2>b;#3=<3>c;"},
    {"NUL and LF end lines", FRAMING_AUTO, false, SINGLE, "<1>a%00<2>b%0A<3>c%00%0A<4>d",
     "1=<1>a;2=<2>b;3=<3>c;#4=<4>d;"},
    {"NUL before three digits", FRAMING_AUTO, false, SINGLE, "<1>a%00<191>b%0A",
     "1=<1>a;2=<191>b;#"},
    {"NUL before an impossible PRI", FRAMING_AUTO, false, SINGLE, "<1>a%00<999>b%0A",
     "1=<1>a;2=<999>b;#"},
    {"NUL after a line without PRI", FRAMING_AUTO, false, SINGLE, "a%00<1>b%0A", "1=a;2=<1>b;#"},
    {"two NULs before a PRI", FRAMING_AUTO, false, SINGLE, "<1>a%00%00<2>b%0A",
     "1=<1>a%00;2=<2>b;#"},
    {"only NUL before a PRI", FRAMING_AUTO, false, SINGLE, "<1>a%0A%00<2>b%0A", "1=<1>a;3=<2>b;#"},
    {"CR and NUL before a PRI", FRAMING_AUTO, false, SINGLE, "<1>a%0D%00<2>b%0A",
     "1=<1>a%0D;2=<2>b;#"},
    {"a PRI and nothing else", FRAMING_AUTO, false, SINGLE, "<1>%00<2>%00<3>%00",
     "1=<1>;2=<2>;#3=<3>;"},
    {"NUL before four digits", FRAMING_AUTO, false, SINGLE, "<1>a%00<1234>b%0A",
     "1=<1>a%00<1234>b;#"},
    {"NUL before '<' without digits", FRAMING_AUTO, false, SINGLE, "<1>a%00<>b%0A",
     "1=<1>a%00<>b;#"},
    {"NUL before letters", FRAMING_AUTO, false, SINGLE, "<1>a%00<b>c%0A", "1=<1>a%00<b>c;#"},
    {"NUL before a digit and a letter", FRAMING_AUTO, false, SINGLE, "<1>a%00<1b>c%0A",
     "1=<1>a%00<1b>c;#"},
    {"NUL, SP and a PRI", FRAMING_AUTO, false, SINGLE, "<1>a%00 <2>b%0A", "1=<1>a%00 <2>b;#"},
    {"NUL before '<' and LF", FRAMING_AUTO, false, SINGLE, "<1>a%00<%0A2>b%0A",
     "1=<1>a%00<;2=2>b;#"},
    {"NUL before '<' and NUL", FRAMING_AUTO, false, SINGLE, "<1>a%00<%00<2>b%0A",
     "1=<1>a%00<;2=<2>b;#"},
    {"NULs within a text", FRAMING_AUTO, false, SINGLE, "<1>a%00b%00%00c%00<2>d%0A",
     "1=<1>a%00b%00%00c;2=<2>d;#"},
    {"NUL and an incomplete PRI at the end", FRAMING_AUTO, false, SINGLE, "<1>a%00<191",
     "#1=<1>a%00<191;"},
    {"NUL and '<' at the end", FRAMING_AUTO, false, SINGLE, "<1>a%00<", "#1=<1>a%00<;"},
    {"two NULs at the end", FRAMING_AUTO, false, SINGLE, "<1>a%00%00", "#1=<1>a%00;"},
    {"a NUL line of max-size", FRAMING_AUTO, false, SINGLE, "<1>%(a*61)%00<19>b%0A",
     "1=<1>%(a*61);2=<19>b;#"},
    {"a NUL line over max-size", FRAMING_AUTO, false, SINGLE, "<1>%(a*62)%00<19>b%0A",
     "1!SYSLOG-MSG: longer than --max-size@64;2=<19>b;#"},
    {"a NUL line far over max-size", FRAMING_AUTO, false, SINGLE, "<1>%(a*300)%00<19>b%00",
     "1!SYSLOG-MSG: longer than --max-size@64;#2=<19>b;"},
    {"NULs within a line far over max-size", FRAMING_AUTO, false, SINGLE,
     "<1>%(a*100)%00b%00<12%00%(a*100)%00<19>b%00",
     "1!SYSLOG-MSG: longer than --max-size@64;#2=<19>b;"},
    {"max-size and a tail that is data", FRAMING_AUTO, false, SINGLE, "<1>%(a*61)%00<191%0Ab%0A",
     "1!SYSLOG-MSG: longer than --max-size@64;2=b;#"},
    {"a tail over max-size at the end", FRAMING_AUTO, false, SINGLE, "<1>%(a*61)%00<191",
     "#1!SYSLOG-MSG: longer than --max-size@64;"},
    {"newline: NUL before a PRI is data", FRAMING_NEWLINE, false, SINGLE, "<1>a%00<2>b%0A",
     "1=<1>a%00<2>b;#"},
    {"NUL before a MSG-LEN is data", FRAMING_AUTO, false, SINGLE, "<1>a%003 <2>%0A",
     "1=<1>a%003 <2>;#"},
    {"nul: messages", FRAMING_NUL, false, SINGLE, "a%00bc%00d", "1=a;2=bc;#3=d;"},
    {"nul: LF is data", FRAMING_NUL, false, SINGLE, "a%0Ab%00c%0D%0Ad%00", "1=a%0Ab;2=c%0D%0Ad;#"},
    {"nul: one LF before NUL is removed", FRAMING_NUL, false, SINGLE,
     "a%0A%00b%0D%0A%00c%0A%0A%00d%0A", "1=a;2=b;3=c%0A;#4=d;"},
    {"nul: a CR before NUL stays", FRAMING_NUL, false, SINGLE, "a%0D%00b%0D", "1=a%0D;#2=b%0D;"},
    {"nul: empty messages are counted", FRAMING_NUL, false, SINGLE, "%00%00a%00%0A%00b%00",
     "3=a;5=b;#"},
    {"nul: a PRI needs nothing before it", FRAMING_NUL, false, SINGLE, "<1>a<2>b%00<3>c%00",
     "1=<1>a<2>b;2=<3>c;#"},
    {"nul: MSG-LEN is data", FRAMING_NUL, false, SINGLE, "3 <1>%00", "1=3 <1>;#"},
    {"nul: of max-size", FRAMING_NUL, false, SINGLE, A64 "%0D%0A%00b%00", "1=" A64 ";2=b;#"},
    {"nul: over max-size", FRAMING_NUL, false, SINGLE, A64 "%(b*300)%00b%00",
     "1!SYSLOG-MSG: longer than --max-size@64;2=b;#"},
    {"nul: lines are not joined", FRAMING_NUL, false, JOIN, "<1>a%00b%00", "1=<1>a;2=b;#"},
    {"joined, NUL before a PRI", FRAMING_AUTO, false, JOIN, "<1>a%0A b%00<2>c%00",
     "1=<1>a%0A b;#3=<2>c;"},
    {"joined, NUL in a text", FRAMING_AUTO, false, JOIN, "<1>a%0A b%00c%0A<2>c%00",
     "#1=<1>a%0A b%00c;3=<2>c;"},
    {"joined, newline: NUL before a PRI", FRAMING_NEWLINE, false, JOIN, "<1>a%0A b%00<2>c%0A",
     "#1=<1>a%0A b%00<2>c;"},
    {"joined at a TIMESTAMP", FRAMING_AUTO, false, JOIN_LENIENT,
     "2026-11-22T17:00:00Z a%0A b%0ANov 22 17:00:01 c%0Ad",
     "1=2026-11-22T17:00:00Z a%0A b;#3=Nov 22 17:00:01 c%0Ad;"},
    {"joined, a TIMESTAMP first", FRAMING_NEWLINE, false, JOIN_LENIENT,
     "a%0Ab%0ANov 22 17:00:01 c%0A", "1=a%0Ab;#3=Nov 22 17:00:01 c;"},
    {"joined, a TIMESTAMP and a PRI", FRAMING_AUTO, false, JOIN_LENIENT,
     "Nov 22 17:00:01 a%0A<1>b%0A2026-11-22T17:00:00Z c%0A<2>d",
     "1=Nov 22 17:00:01 a;#2=<1>b%0A2026-11-22T17:00:00Z c;4=<2>d;"},
    {"joined, 29 February", FRAMING_AUTO, false, JOIN_LENIENT,
     "Feb 29 17:00:00 a%0AFeb 29 17:00:01 b", "#1=Feb 29 17:00:00 a;2=Feb 29 17:00:01 b;"},
    {"joined, TIMESTAMPs without LF", FRAMING_AUTO, false, JOIN_LENIENT,
     "Nov 22 17:00:01%0A2026-11-22T17:00:00Z", "#1=Nov 22 17:00:01;2=2026-11-22T17:00:00Z;"},
    {"joined, no such day", FRAMING_AUTO, false, JOIN_LENIENT,
     "Nov 22 17:00:01 a%0ANov 31 17:00:00 b", "#1=Nov 22 17:00:01 a%0ANov 31 17:00:00 b;"},
    {"joined, no such hour", FRAMING_AUTO, false, JOIN_LENIENT,
     "Nov 22 17:00:01 a%0ANov 22 24:00:00 b", "#1=Nov 22 17:00:01 a%0ANov 22 24:00:00 b;"},
    {"joined, SP before a TIMESTAMP", FRAMING_AUTO, false, JOIN_LENIENT,
     "Nov 22 17:00:01 a%0A Nov 22 17:00:01 b", "#1=Nov 22 17:00:01 a%0A Nov 22 17:00:01 b;"},
    {"joined, text after a TIMESTAMP", FRAMING_AUTO, false, JOIN_LENIENT,
     "Nov 22 17:00:01 a%0ANov 22 17:00:01b", "#1=Nov 22 17:00:01 a%0ANov 22 17:00:01b;"},
    {"joined, a date only", FRAMING_AUTO, false, JOIN_LENIENT, "Nov 22 17:00:01 a%0A2026-11-22 b",
     "#1=Nov 22 17:00:01 a%0A2026-11-22 b;"},
    {"joined, strict: no TIMESTAMP", FRAMING_NEWLINE, false, JOIN,
     "2026-11-22T17:00:00Z a%0A2026-11-22T17:00:00Z b%0A<1>c",
     "#1=2026-11-22T17:00:00Z a%0A2026-11-22T17:00:00Z b;3=<1>c;"},
    {"joined, MSG-LEN before a PRI", FRAMING_NEWLINE, false, JOIN_LENIENT, "4 <1>a%0A5 <2>b%0A<3>c",
     "1=<1>a;#2=<2>b;3=<3>c;"},
    {"joined, another number before a PRI", FRAMING_NEWLINE, false, JOIN_LENIENT,
     "<1>a%0A6 <2>b%0A", "#1=<1>a%0A6 <2>b;"},
    {"joined, strict: MSG-LEN before a PRI", FRAMING_NEWLINE, false, JOIN, "<1>a%0A4 <2>b%0A",
     "#1=<1>a%0A4 <2>b;"},
};

static void show(struct buffer *events, enum frame_kind kind, const struct frame *frame)
{
    char text[128];
    int n;
    if (kind == FRAME_MESSAGE) {
        n = snprintf(text, sizeof text, "%" PRIu64 "=", frame->number);
        buffer_append(events, (struct slice){text, (size_t)n});
        buffer_append(events, frame->message);
        n = snprintf(text, sizeof text, ";");
    } else {
        n = snprintf(text, sizeof text, "%" PRIu64 "!%s: %s@%" PRIu64 ";", frame->number,
                     frame->defect.field, frame->defect.reason, frame->defect.offset);
    }
    buffer_append(events, (struct slice){text, (size_t)n});
}

/* Feeds [from, to) before a guard page; false once the stream is broken. */
static bool feed(struct framer *f, struct slice bytes, size_t from, size_t to,
                 struct buffer *events)
{
    enum frame_kind kind;
    struct frame frame;
    framer_feed(f, unit_guarded((struct slice){bytes.data + from, to - from}));
    while ((kind = framer_next(f, &frame)) != FRAME_NONE) {
        show(events, kind, &frame);
        if (kind == FRAME_BROKEN)
            return false;
    }
    return true;
}

/* The events of a stream that arrives in steps of `step` bytes after a first one of `first`. */
static void run(const struct stream *s, struct slice bytes, size_t first, size_t step,
                struct buffer *events)
{
    struct framer f;
    struct frame frame;
    bool good = true;
    events->len = 0;
    framer_init(&f, s->framing, MAX_SIZE, s->truncate);
    if (s->lines != SINGLE)
        framer_enable_multiline(&f, s->lines == JOIN_LENIENT);
    for (size_t from = 0, to = first; good && from < bytes.len; from = to, to += step) {
        if (to > bytes.len)
            to = bytes.len;
        good = feed(&f, bytes, from, to, events);
        unit(f.partial.capacity <= 4 * MAX_SIZE + 256, "%s: %zu bytes kept", s->name,
             f.partial.capacity);
        unit(f.held.capacity <= 4 * MAX_SIZE + 256, "%s: %zu bytes held", s->name, f.held.capacity);
    }
    if (good) {
        buffer_append(events, (struct slice){"#", 1});
        enum frame_kind kind;
        while ((kind = framer_end(&f, true, &frame)) != FRAME_NONE)
            show(events, kind, &frame);
    }
    framer_free(&f);
}

static void check(const struct stream *s, struct slice bytes, size_t first, size_t step)
{
    struct buffer events = {0};
    struct slice expected = unit_decode(s->expected);
    run(s, bytes, first, step, &events);
    struct slice got = {events.data, events.len};
    unit(slice_equal(got, expected), "%s, first %zu then %zu: got %.*s", s->name, first, step,
         SHOW(got));
    free((void *)(uintptr_t)expected.data);
    buffer_free(&events);
}

/* If the sender did not end the stream, a line without LF is rejected. */
static void truncated_line(void)
{
    struct framer f;
    struct frame frame;
    framer_init(&f, FRAMING_NEWLINE, MAX_SIZE, false);
    framer_feed(&f, (struct slice){"abc", 3});
    unit(framer_next(&f, &frame) == FRAME_NONE && framer_mid_message(&f), "within a line");
    unit(framer_end(&f, false, &frame) == FRAME_REJECTED, "the line is rejected");
    unit(frame.number == 1 && frame.defect.offset == 3, "its number and offset");
    unit(framer_end(&f, false, &frame) == FRAME_NONE, "nothing else");
    framer_free(&f);
}

static bool is_message(enum frame_kind kind, const struct frame *frame, uint64_t number,
                       const char *message)
{
    return kind == FRAME_MESSAGE && frame->number == number &&
           slice_equal(frame->message, (struct slice){message, strlen(message)});
}

/* A held message can be released; a line after it then does not continue it. */
static void release(void)
{
    struct framer f;
    struct frame frame;
    framer_init(&f, FRAMING_AUTO, MAX_SIZE, false);
    framer_enable_multiline(&f, false);
    unit(!framer_has_held(&f), "nothing is held at first");
    unit(framer_release(&f, &frame) == FRAME_NONE, "nor released");
    framer_feed(&f, (struct slice){"<1>a\nb\n\n", 8});
    unit(framer_next(&f, &frame) == FRAME_NONE, "the message may continue");
    unit(framer_has_held(&f) && !framer_mid_message(&f), "it is held, between lines");
    unit(is_message(framer_release(&f, &frame), &frame, 1, "<1>a\nb"), "it is released");
    unit(!framer_has_held(&f), "nothing is held after that");
    unit(framer_release(&f, &frame) == FRAME_NONE, "it is released once");
    framer_feed(&f, (struct slice){"c\n<2>d\ne", 8});
    unit(is_message(framer_next(&f, &frame), &frame, 4, "c"), "the next line is a message");
    unit(framer_next(&f, &frame) == FRAME_NONE && framer_mid_message(&f),
         "the input ends within a line");
    unit(is_message(framer_release(&f, &frame), &frame, 5, "<2>d"), "released without the line");
    unit(is_message(framer_end(&f, true, &frame), &frame, 6, "e"),
         "the line is returned at the end");
    unit(framer_end(&f, true, &frame) == FRAME_NONE, "nothing else");
    framer_free(&f);
}

/* A line that ends with NUL is complete if nothing follows it in time. */
static void release_nul(bool multiline)
{
    struct framer f;
    struct frame frame;
    framer_init(&f, FRAMING_AUTO, MAX_SIZE, false);
    if (multiline)
        framer_enable_multiline(&f, false);
    framer_feed(&f, (struct slice){"<1>a\0", 5});
    unit(framer_next(&f, &frame) == FRAME_NONE && framer_has_held(&f), "a PRI may follow the NUL");
    unit(!framer_mid_message(&f), "if none does, the message is complete");
    unit(is_message(framer_release(&f, &frame), &frame, 1, "<1>a"), "it is released");
    unit(framer_release(&f, &frame) == FRAME_NONE && !framer_has_held(&f), "once");
    framer_feed(&f, (struct slice){"<2>b\0<", 6});
    unit(framer_next(&f, &frame) == FRAME_NONE && framer_mid_message(&f), "within a message");
    unit(framer_has_held(&f) == false && framer_release(&f, &frame) == FRAME_NONE,
         "which is not released");
    framer_feed(&f, (struct slice){"3>c\0", 4});
    unit(is_message(framer_next(&f, &frame), &frame, 2, "<2>b"), "the message before the PRI");
    unit(framer_next(&f, &frame) == FRAME_NONE, "the next one is held");
    unit(is_message(framer_release(&f, &frame), &frame, 3, "<3>c"), "with its PRI");
    framer_feed(&f, (struct slice){"<4>d\0", 5});
    unit(framer_next(&f, &frame) == FRAME_NONE, "held until the end");
    unit(is_message(framer_end(&f, false, &frame), &frame, 4, "<4>d"),
         "complete, even if the sender did not end the stream");
    unit(framer_end(&f, false, &frame) == FRAME_NONE, "nothing else");
    framer_free(&f);
}

/* A message that is too long also ends with NUL. */
static void release_too_long(void)
{
    struct framer f;
    struct frame frame;
    char block[301] = "<1>";
    memset(block + 3, 'a', sizeof block - 4);
    framer_init(&f, FRAMING_AUTO, MAX_SIZE, false);
    framer_feed(&f, (struct slice){block, sizeof block});
    unit(framer_next(&f, &frame) == FRAME_REJECTED, "it is rejected");
    unit(framer_next(&f, &frame) == FRAME_NONE, "its rest is skipped");
    unit(framer_release(&f, &frame) == FRAME_NONE, "and not a message");
    framer_feed(&f, (struct slice){"<2>b\n", 5});
    unit(is_message(framer_next(&f, &frame), &frame, 2, "<2>b"), "the next one is complete");
    framer_free(&f);
}

static void datagrams(void)
{
    static const char *const cases[][2] = {{"a", "a"},
                                           {"a%0A", "a"},
                                           {"a%0D%0A", "a"},
                                           {"a%00", "a"},
                                           {"a%0A%00", "a"},
                                           {"a%00%0D%0A", "a"},
                                           {"a%00%00%0A%0A%0D%00", "a"},
                                           {"a%00b%00", "a%00b"},
                                           {"a ", "a "},
                                           {"%0A%0D%00", ""},
                                           {"%0Aa", "%0Aa"},
                                           {"a%00<1>b", "a%00<1>b"}};
    struct framer f;
    struct frame frame;
    framer_init(&f, FRAMING_AUTO, MAX_SIZE, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice bytes = unit_decode(cases[i][0]);
        struct slice expected = unit_decode(cases[i][1]);
        enum frame_kind kind = framer_datagram(&f, unit_guarded(bytes), bytes.len, &frame);
        unit(expected.len ? kind == FRAME_MESSAGE && slice_equal(frame.message, expected)
                          : kind == FRAME_NONE,
             "datagram %s", cases[i][0]);
        free((void *)(uintptr_t)bytes.data);
        free((void *)(uintptr_t)expected.data);
    }
    framer_free(&f);
}

/* If the sender did not end the stream, complete lines are returned, the last one is rejected. */
static void truncated_multiline(void)
{
    struct framer f;
    struct frame frame;
    framer_init(&f, FRAMING_NEWLINE, MAX_SIZE, false);
    framer_enable_multiline(&f, false);
    framer_feed(&f, (struct slice){"<1>a\nb\nc", 8});
    unit(framer_next(&f, &frame) == FRAME_NONE, "the message may continue");
    unit(is_message(framer_end(&f, false, &frame), &frame, 1, "<1>a\nb"), "the complete lines");
    unit(framer_end(&f, false, &frame) == FRAME_REJECTED, "the truncated one is rejected");
    unit(frame.number == 3 && frame.defect.offset == 1, "its number and offset");
    unit(framer_end(&f, false, &frame) == FRAME_NONE, "nothing else");
    framer_free(&f);
}

int main(void)
{
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        struct slice bytes = unit_decode(streams[i].bytes);
        check(&streams[i], bytes, bytes.len, 1);
        check(&streams[i], bytes, 1, 1);
        for (size_t split = 1; split < bytes.len; split++)
            check(&streams[i], bytes, split, bytes.len);
        free((void *)(uintptr_t)bytes.data);
    }
    truncated_line();
    release();
    release_nul(false);
    release_nul(true);
    release_too_long();
    datagrams();
    truncated_multiline();
    return unit_end("frame");
}

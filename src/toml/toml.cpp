/*
 * toml++ behind a C interface: the only C++ of the project. Debian has no TOML parser in C, and
 * this one passes the whole of toml-test. It throws, so everything is caught here.
 */
#include "toml/toml.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#ifndef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 0
#endif
#include <toml++/toml.h>

namespace
{

struct item {
    std::string section;
    std::string key;
    std::string text;
    toml_item value{};
};

using items = std::vector<item>;

toml_type type_of(const toml::node &node)
{
    switch (node.type()) {
    case toml::node_type::table: return TOML_TYPE_TABLE;
    case toml::node_type::array: return TOML_TYPE_ARRAY;
    case toml::node_type::string: return TOML_TYPE_STRING;
    case toml::node_type::integer: return TOML_TYPE_INTEGER;
    case toml::node_type::floating_point: return TOML_TYPE_FLOAT;
    case toml::node_type::boolean: return TOML_TYPE_BOOLEAN;
    default: return TOML_TYPE_DATE;
    }
}

item &add(items &all, std::string_view section, std::string_view key, const toml::node &node)
{
    item one;
    one.section = section;
    one.key = key;
    one.value.type = type_of(node);
    one.value.line = node.source().begin.line;
    one.value.column = node.source().begin.column;
    if (const auto *text = node.as_string())
        one.text = text->get();
    if (const auto *integer = node.as_integer())
        one.value.integer = integer->get();
    if (const auto *real = node.as_floating_point())
        one.value.real = real->get();
    if (const auto *boolean = node.as_boolean())
        one.value.boolean = boolean->get();
    all.push_back(std::move(one));
    return all.back();
}

void add_section(items &all, std::string_view section, const toml::table &table)
{
    for (const auto &[key, node] : table) {
        add(all, section, key.str(), node);
        if (const auto *array = node.as_array())
            for (const auto &element : *array)
                add(all, section, key.str(), element).value.is_element = true;
    }
}

void add_list(items &all, std::string_view section, const toml::array &list)
{
    std::uint32_t index = 0;

    for (const auto &element : list) {
        const std::size_t first = all.size();
        add(all, section, "", element);
        add_section(all, section, *element.as_table());
        for (std::size_t i = first; i < all.size(); i++) {
            all[i].value.is_listed = true;
            all[i].value.index = index;
        }
        index++;
    }
}

items collect(const toml::table &root)
{
    items all;
    for (const auto &[key, node] : root) {
        if (const auto *table = node.as_table()) {
            add(all, key.str(), "", node);
            add_section(all, key.str(), *table);
            continue;
        }
        add(all, "", key.str(), node);
        if (const auto *array = node.as_array(); array && array->is_array_of_tables())
            add_list(all, key.str(), *array);
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const item &a, const item &b) { return a.value.line < b.value.line; });
    return all;
}

/* The parser's stack grows with the parts of a dotted key, and it sets no limit to them (values have
 * one of its own). Finds the line of one with more parts than anybody writes; 0 if there is none. */
constexpr std::uint32_t key_parts_max = 64;

std::uint32_t find_deep_key(std::string_view document)
{
    std::uint32_t line = 1;
    std::uint32_t parts = 1;
    char quote = 0; /* inside of a string: what ends it */
    bool is_comment = false;

    for (const char c : document) {
        if (c == '\n') {
            line++;
            quote = 0;
            is_comment = false;
        }
        if (quote != 0 || is_comment) {
            quote = c == quote ? char{0} : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#') {
            is_comment = true;
        } else if (c == '.') {
            if (++parts > key_parts_max)
                return line;
            continue;
        }
        if (c == '\n' || c == '=' || c == ',' || c == '{' || c == '[')
            parts = 1;
    }
    return 0;
}

/* Keys are given to C: one with a zero byte inside would pass for another, shorter one. */
const item *find_cut_key(const items &all)
{
    const auto found = std::find_if(all.begin(), all.end(), [](const item &one) {
        return one.key.find('\0') != std::string::npos ||
               one.section.find('\0') != std::string::npos;
    });
    return found == all.end() ? nullptr : &*found;
}

/* ---- Errors: toml++ says what its grammar expected; people want to hear what to do. --------- */

/* The line of that number, without its end. */
std::string_view line_at(std::string_view document, std::uint32_t number)
{
    for (; number > 1; number--) {
        const std::size_t end = document.find('\n');
        if (end == std::string_view::npos)
            return {};
        document.remove_prefix(end + 1);
    }
    document = document.substr(0, document.find('\n'));
    return document.substr(0, document.find('\r'));
}

bool is_continuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/* As the parser counts columns. */
std::size_t characters_of(std::string_view line)
{
    return static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](char c) { return !is_continuation(c); }));
}

/* The column where the value begins that is wrong at that column: behind the last '=', ',' or '[' in
 * front of it. (One in a text has another behind that text.) */
std::uint32_t value_column(std::string_view line, std::uint32_t wrong)
{
    std::uint32_t column = 0;
    std::uint32_t begin = 0; /* 0: behind the blanks that follow */

    for (const char c : line) {
        if (!is_continuation(c) && ++column >= wrong)
            break;
        if (begin == 0 && c != ' ' && c != '\t')
            begin = column;
        if (c == '=' || c == ',' || c == '[')
            begin = 0;
    }
    return begin != 0 ? begin : wrong;
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

/* Is it about a value that is not quoted? Whatever such a value begins like, the parser calls it. */
bool is_about_bare_value(std::string_view text)
{
    constexpr std::string_view kinds[] = {"parsing time",  "parsing date",    "parsing floating",
                                          "parsing value", "parsing boolean", "integer: expected",
                                          "parsing offset"};

    return std::any_of(std::begin(kinds), std::end(kinds),
                       [text](std::string_view kind) { return has(text, kind); });
}

/* In plain words; else toml++'s own. */
std::string_view explain(std::string_view text, bool is_at_line_end)
{
    constexpr std::string_view own = "Error while parsing ";
    constexpr struct {
        std::string_view part;
        std::string_view words;
    } plain[] = {
        {"expected value, saw", "the value is missing"},
        {"expected '=', saw", "a key, '=' and a value are expected here"},
        {"expected a comment or whitespace", "nothing but a comment may follow a value"},
        {"expected comma or closing ']'", "a comma, or the closing bracket, is missing"},
        {"table header: expected ']'", "the closing bracket of the section is missing"},
        {"encountered end-of-file", "the file ends before this is complete"},
        {"cannot redefine existing table", "this section is given twice"},
        {"cannot redefine existing", "this key is given twice"},
    };

    if (is_about_bare_value(text))
        return "this is no value: a text (an address, a name, a path) needs double quotes, as in "
               "\"127.0.0.1:7000\"; the others are numbers, true and false";
    if (is_at_line_end && has(text, "control characters"))
        return "a text must end, with its quote, in the line in which it begins";
    for (const auto &one : plain)
        if (has(text, one.part))
            return one.words;
    return text.substr(0, own.size()) == own ? text.substr(own.size()) : text;
}

void set_error(toml_error *ret, std::string_view text, toml::source_position at)
{
    (void)std::snprintf(ret->text, sizeof ret->text, "%.*s", static_cast<int>(text.size()),
                        text.data());
    ret->line = at.line;
    ret->column = at.column;
}

} // namespace

extern "C" bool toml_read(const char *document, size_t size, toml_visit *visit, void *context,
                          toml_error *ret_error)
{
    if (const std::uint32_t line = find_deep_key(std::string_view(document, size)); line != 0) {
        set_error(ret_error, "a key of too many parts", toml::source_position{line, 1});
        return false;
    }
    try {
        const toml::table root = toml::parse(std::string_view(document, size));
        items all = collect(root);
        if (const item *cut = find_cut_key(all)) {
            set_error(ret_error, "there is a zero byte in this key",
                      toml::source_position{cut->value.line, cut->value.column});
            return false;
        }
        for (item &one : all) {
            one.value.section = one.section.c_str();
            one.value.key = one.key.c_str();
            one.value.text = one.text.c_str();
            one.value.text_size = one.text.size();
            if (!visit(context, &one.value))
                break;
        }
        return true;
    } catch (const toml::parse_error &error) {
        toml::source_position at = error.source().begin;
        const std::string_view line = line_at(std::string_view(document, size), at.line);
        const bool is_at_line_end = at.column > characters_of(line);
        if (is_about_bare_value(error.description()))
            at.column = value_column(line, at.column);
        set_error(ret_error, explain(error.description(), is_at_line_end), at);
    } catch (const std::exception &error) {
        set_error(ret_error, error.what(), toml::source_position{});
    } catch (...) {
        set_error(ret_error, "unknown error", toml::source_position{});
    }
    return false;
}

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
        set_error(ret_error, error.description(), error.source().begin);
    } catch (const std::exception &error) {
        set_error(ret_error, error.what(), toml::source_position{});
    } catch (...) {
        set_error(ret_error, "unknown error", toml::source_position{});
    }
    return false;
}

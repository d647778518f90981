/* Help texts: see the header. */
#include "cli/help.h"

#include "cli/invocation.h"

static const char *const group_titles[GROUP_COUNT] = {
    [GROUP_START] = "Start here",
    [GROUP_DAILY] = "Every day",
    [GROUP_OPERATE] = "Operate",
};

void help_overview(FILE *out)
{
    fputs("Sidecast brings events from your backend to every browser that may see them.\n"
          "  sidecast demo\n"
          "  sidecast gentoken --user 42 --room 'project:*'\n"
          "  sidecast help serve\n",
          out);
    for (int group = 0; group < GROUP_COUNT; group++) {
        fprintf(out, "\n%s\n", group_titles[group]);
        for (size_t i = 0; i < command_count; i++)
            if ((int)command_table[i]->group == group)
                fprintf(out, "  %-13s %s\n", command_table[i]->name,
                        command_table[i]->summary);
    }
}

static void print_flags(FILE *out, const struct flag *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *operand = flags[i].operand ? flags[i].operand : "";
        int width = fprintf(out, "  --%s %s", flags[i].name, operand);
        fprintf(out, "%*s%s\n", width < 26 ? 26 - width : 1, "", flags[i].doc);
    }
}

void help_command(FILE *out, const struct command *command)
{
    size_t count;
    const struct flag *common = invocation_flags(&count);

    fprintf(out, "%s\nUsage: sidecast %s%s%s [FLAG]…\n%s.\n", command->example,
            command->name, command->operands[0] ? " " : "", command->operands,
            command->summary);
    if (command->flag_count > 0) {
        fputs("\nFlags\n", out);
        print_flags(out, command->flags, command->flag_count);
    }
    fputs("\nFlags of every command\n", out);
    print_flags(out, common, count);
}

-- grain: one block of a note version, exact repeats and broken rows among them
-- units: whole minutes; clock times as the clinic's record systems write them
-- source: data/contracts/note_blocks.csv
with
-- minutes after the visit's start at which each stretch begins; a rest lengthens a block
laid_out as (
    select
        w.*,
        case when w.has_two_stretches then w.first_minutes // 2 else w.first_minutes end as stretch_minutes,
        case when w.way = 'rests' then least(1 + chance(w.visit, 'rest', 4), (w.minutes_to_next - w.timed_minutes) // 4)
            else 0 end as rest_minutes,
        case when w.planted = 'overlap' then least(w.first_minutes, w.second_minutes, 6 + w.visit % 6) else 0 end
            as overlap_minutes
    from visit_written as w
    where w.planted is distinct from 'no_note'
),
-- the blocks, in each version that has them
block as (
    select
        l.*,
        unnest(case when l.planted = 'amended' then [1, 2] when l.planted = 'note_voided' then [1] else [null] end)
            as version
    from laid_out as l
),
-- those that were given
given as (
    select
        block.*,
        list_filter([
            {'code': block.first_code, 'minutes': block.stretch_minutes, 'after': 0, 'delivery': ''},
            {
                'code': block.second_code, 'minutes': block.second_minutes,
                'after': block.stretch_minutes + block.rest_minutes - block.overlap_minutes, 'delivery': ''
            },
            {
                'code': block.third_code, 'minutes': block.third_minutes,
                'after': block.stretch_minutes + block.second_minutes + 2 * block.rest_minutes, 'delivery': ''
            },
            {
                'code': block.first_code, 'minutes': block.first_minutes - block.stretch_minutes,
                'after': block.stretch_minutes + block.second_minutes + block.third_minutes + 3 * block.rest_minutes,
                'delivery': ''
            },
            {
                'code': block.untimed_code,
                'minutes': case when block.untimed_code is null then 0 else 10 end,
                'after': block.timed_minutes + 4 * block.rest_minutes,
                'delivery': case
                    when block.untimed_code in ('97010', '97014') then 'supervised'
                    when block.untimed_code = '97150' then 'group'
                    else ''
                end
            },
            {
                'code': block.first_code, 'minutes': case when block.uncounted_delivery is null then 0 else 10 end,
                'after': block.timed_minutes + 4 * block.rest_minutes, 'delivery': block.uncounted_delivery
            }
        ], lambda item: item.minutes > 0) as items
    from block
),
-- one row a block
listed as (
    select given.*, unnest(given.items) as item, unnest(range(1, len(given.items) + 1)) as block_number
    from given
),
-- what is written of it, and what is broken of a few
written as (
    select
        listed.*,
        listed.start_minute + listed.item.after as began_minute,
        listed.start_minute + listed.item.after + listed.item.minutes
            + case when listed.item.delivery = '' then listed.rest_minutes else 0 end as ended_minute,
        chance(listed.visit * 8 + listed.block_number, 'block fault', 100000) as fault
    from listed
)
select
    case when w.fault = 0 then note_id(-1 - w.visit) else note_id(w.visit) end as note_id,
    w.block_number,
    w.item.code as procedure_code,
    w.version as note_version,
    case
        when w.fault = 1 then -5
        when w.way = 'clock' then null
        when w.planted = 'stated_above_clock' and w.block_number = 1 then w.item.minutes + 5
        when w.planted = 'amended' and w.version = 1 and w.block_number = 1 then w.item.minutes - 3
        else w.item.minutes
    end as minutes,
    case when w.way <> 'stated' then clock_time(w.discipline, w.service_date, w.began_minute) end as started_at,
    case when w.way <> 'stated' then
        clock_time(
            w.discipline, w.service_date, case when w.fault = 2 then w.began_minute - 300 else w.ended_minute end
        )
    end as ended_at,
    nullif(w.item.delivery, '') as delivery,
    case when w.is_assistant then 'assistant' else 'therapist' end as provider_role,
    case when w.visit % 5 < 3 then goal(w.discipline, w.patient) end as goal,
    case when w.visit % 10 < 8 then description(w.item.code, w.visit + w.block_number) end as description,
    unnest(range(case when w.fault between 10 and 39 then 2 else 1 end)) as copy
from written as w

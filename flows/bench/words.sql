-- Ids, prices and words of the made-up clinics. All of it invented.

-- A number from 0 to sides - 1, the same for the same row, purpose and seed on any machine. Hashed twice: the last
-- digits of two purposes would go together else.
create or replace macro chance(number, purpose, sides) as
    cast(hash(hash(number, purpose, getvariable('seed'))) % sides as integer);

-- 7,919 has no factor in common with the powers of ten: each number gets an id of its own, in no order
create or replace macro patient_id(number) as
    'MRN' || lpad(cast((number * 7919 + 1234567 + getvariable('seed')) % 100000000 as varchar), 8, '0');
create or replace macro clinician_id(number) as
    '1' || lpad(cast((number * 7919 + 48151623 + getvariable('seed')) % 1000000000 as varchar), 9, '0');
create or replace macro note_id(number) as 'ENC' || cast(200000000 + number as varchar);
create or replace macro claim_id(number, issue) as 'CL' || cast(4000000000 + number * 4 + issue as varchar);

create or replace macro diagnosis_codes(discipline, number) as
    case discipline
        when 'PT' then ['M25.561', 'M54.50', 'R26.89;M62.81', 'M17.11', 'S83.511A;M25.661'][1 + number % 5]
        when 'OT' then ['M25.641', 'G81.91', 'M65.4', 'R27.8;M62.81'][1 + number % 4]
        else ['R47.01', 'R41.841', 'R13.12;R47.1'][1 + number % 3]
    end;

create or replace macro charge_usd(code, units) as
    cast(units * case
        when code in ('97161', '97162', '97163', '97165', '97166', '97167') then 180
        when code in ('92507', '92526') then 140
        when code = '92523' then 260
        when code = '97010' then 10
        when code in ('97014', 'G0283', '97035') then 30
        when code = '97150' then 40
        when code in ('97129', '97130') then 55
        else 60
    end as decimal(12, 2));

-- physical and occupational therapy write times, speech therapy full timestamps
create or replace macro clock_time(discipline, day, minute) as
    case when discipline = 'SLP' then cast(day as varchar) || 'T' else '' end
    || lpad(cast(minute // 60 as varchar), 2, '0') || ':' || lpad(cast(minute % 60 as varchar), 2, '0')
    || case when discipline = 'SLP' then ':00' else '' end;

create or replace macro goal(discipline, number) as
    case discipline
        when 'PT' then [
            'Walk 300 feet on level ground without a device', 'Climb one flight of stairs, rail on one side',
            'Lift 20 pounds from floor to waist, pain 2/10 or less', 'Stand on one leg for 20 seconds, either side'
        ][1 + number % 4]
        when 'OT' then [
            'Dress the upper body without help', 'Prepare a simple meal, seated rests as needed',
            'Grip of 35 pounds, right hand'
        ][1 + number % 3]
        else ['Name 18 of 20 common objects', 'Recall 4 of 5 words after a delay'][1 + number % 2]
    end;

create or replace macro description(code, number) as
    case
        when code in ('97110', '97530') then [
            'Resisted knee and hip work, 3 sets of 10', 'Step ups, sit to stand, band work',
            'Shoulder raises with 3 lb, scapular sets', 'Reaching and lifting tasks, graded'
        ][1 + number % 4]
        when code in ('97112', '97116') then [
            'Balance on foam, eyes open, cues at the trunk', 'Gait with turns and head movement',
            'Weight shift, tandem stance, ladder drills'
        ][1 + number % 3]
        when code = '97140' then [
            'Soft tissue work, joint glides grade III', 'Patellar and talar glides, stretching'
        ][1 + number % 2]
        when code in ('97129', '97130') then 'Memory and sequencing tasks, written cues'
        when code in ('97010', '97014', '97035') then 'Modality to the low back, skin checked before and after'
        else 'As planned'
    end;

create or replace macro sentence(discipline, number) as
    case discipline
        when 'PT' then [
            'Patient reports less stiffness in the morning, stairs still slow.',
            'Says "it catches" on the inside of the knee when turning; no swelling seen.',
            'Gait with less limp, cues for heel strike needed on the left.',
            'Balance on foam improved, one loss of balance, caught without help.',
            'Shoulder flexion reached 145 degrees, end feel firm.',
            'Core control better in quadruped; fatigue set in late.',
            'Low back sore after travel, centralised with extension work.',
            'Strength 4/5 in hip abduction, 4+/5 in knee extension.'
        ][1 + number]
        when 'OT' then [
            'Buttoning done without help, zips with minimal help.',
            'Grip 28 pounds right, 41 left; edema down by half a centimetre.',
            'Kitchen task finished with two cues, knife work safe.',
            'Scar mobile, hypersensitive at the distal end.',
            'Energy saving taught, good recall, "I rest before I am tired".',
            'Reach to the second shelf without shrugging.',
            'Typing tolerance doubled since the first visit.',
            'Splint fits, no red spots, worn at night.'
        ][1 + number]
        else [
            'Word finding with written cues, 14 of 20 on first attempt.',
            'Swallow trials of thin liquid, no cough, chin tuck kept up.',
            'Recalled 3 of 5 words after a delay, with a strategy 5 of 5.',
            'Speech clear in sentences, blurred when tired.',
            'Family taught to wait, and to ask one question at a time.',
            'Sequencing of a recipe, one error, self corrected.',
            'Reading of a paragraph aloud, pace even.',
            'Follows two step commands, three step with repetition.'
        ][1 + number]
    end;

create or replace macro further_sentence(number) as [
    'Tolerated all work well.',
    'Needed verbal cues for form, fewer than last visit.',
    'Home program reviewed, demonstrated back correctly.',
    'Blood pressure checked before and after, within limits.',
    'Worked one-on-one throughout.',
    'No new complaints; medication unchanged since the last visit.',
    'Rested between sets as needed, no dizziness.',
    'Spouse present and took part, questions answered.',
    'Continue as planned, two visits a week.',
    'Progress toward the goals of the plan of care; skilled work still needed for safe advance.',
    'Next visit: add stairs, and carry a load.',
    'Will see the physician on Friday, letter sent.',
    'Plan: raise the load if soreness stays below 3/10.',
    'Reassess next week; discharge expected within the month.',
    'Agreed to walk daily, log kept on paper.',
    'Ice at home if sore.'
][1 + number];

-- four to six sentences; commas and quotes as people type them, and in one note of a hundred a line break
create or replace macro narrative(discipline, number) as
    sentence(discipline, chance(number, 'opens', 8))
    || ' Pain ' || chance(number, 'pain before', 7) || '/10 before and ' || chance(number, 'pain after', 5)
    || case when chance(number, 'line break', 100) = 0 then E'/10 after.\n' else '/10 after. ' end
    || sentence(discipline, chance(number, 'goes on', 8)) || ' '
    || further_sentence(chance(number, 'adds', 8))
    || ' Measured: ' || chance(number, 'degrees', 90) + 60 || ' degrees, ' || chance(number, 'feet', 700) + 100
    || ' feet in six rounds, grip ' || chance(number, 'grip', 60) + 10 || ' lb.'
    || case when chance(number, 'ends', 100) < 60 then ' ' || further_sentence(8 + chance(number, 'closes', 8))
        else '' end;

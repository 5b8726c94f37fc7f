%% SPDX-License-Identifier: GPL-2.0-only
%%
%% erl -run hold main hold|leak MIB: lists and binaries. Prints as its truth what
%% all allocators have from mseg; what they have from malloc is to be added.

-module(hold).
-export([main/1]).

main([How, Mib]) ->
    main(How, list_to_integer(Mib)).

main("leak", Mib) ->
    leak([], 1, Mib),
    halt();
main("hold", Mib) ->
    Kept = [block(I, 1024) || I <- lists:seq(1, Mib * 1024)],
    io:format("ready ~s ~b~n", [os:getpid(), mseg()]),
    receive stop -> Kept end.

leak(_, Got, Mib) when Got > Mib ->
    ok;
leak(Kept, Got, Mib) ->
    Grown = [block(Got, 1 bsl 20) | Kept],
    io:format("got ~b~n", [Got]),
    leak(Grown, Got + 1, Mib).

block(I, Size) ->
    binary:copy(<<I:8>>, Size).

mseg() ->
    lists:sum([carriers(Type)
               || Allocator <- erlang:system_info(alloc_util_allocators),
                  {instance, _, Instance} <- instances(Allocator),
                  {Kind, Type} <- Instance,
                  lists:member(Kind, [mbcs, sbcs, mbcs_pool])]).

instances(Allocator) ->
    case erlang:system_info({allocator, Allocator}) of
        false -> [];
        Instances -> Instances
    end.

carriers(Type) ->
    case lists:keyfind(mseg_alloc_carriers_size, 1, Type) of
        false -> 0;
        Size -> element(2, Size)
    end.

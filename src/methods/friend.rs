//! Friends, applications for friendship, the black list.

use openim_core::{
    AddFriend, ApplicationKey, ApplicationPage, BlackParams, FriendAnswer, FriendPage, FriendSearch, FriendsUpdate,
    Since, SpecifiedFriends,
};

use crate::client::NativeClient;

super::methods! {
    get_friend_list(filter_black: Option<bool>);
    get_friend_list_page(page: FriendPage);
    get_specified_friends_info(wanted: SpecifiedFriends);
    check_friend(user_ids: Vec<String>);
    search_friends(search: FriendSearch);
    update_friends(update: FriendsUpdate);
    delete_friend(user_id: String);
    add_friend(params: AddFriend);
    accept_friend_application(answer: FriendAnswer);
    refuse_friend_application(answer: FriendAnswer);
    get_friend_application_list_as_recipient(page: Option<ApplicationPage>);
    get_friend_application_list_as_applicant(page: Option<ApplicationPage>);
    get_friend_application_unhandled_count(since: Option<Since>);
    delete_friend_requests(keys: Vec<ApplicationKey>);
    add_black(params: BlackParams);
    remove_black(user_id: String);
    get_black_list();
}
